/** Coefficients of agreement in answers. */
import Type from 'typebox'
import { closed, nullable } from '../parts.ts'

/** A coefficient of agreement, or why there is none. */
export const coefficient = (description: string) =>
  closed(
    {
      value: nullable(Type.Number()),
      ci_low: nullable(Type.Number()),
      ci_high: nullable(Type.Number()),
      reason: Type.String({ description: 'Why there is no value; empty where there is one.' }),
    },
    { description },
  )
