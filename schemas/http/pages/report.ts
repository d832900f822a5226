/** Parameters and answer of a model's report. */
import Type from 'typebox'
import { asOf, closed } from '../parts.ts'

const time = (description: string, example: string) =>
  Type.Optional(Type.String({ maxLength: 40, description, examples: [example] }))

/** Period that a report covers. */
export const ReportQuery = closed({
  from: time(
    'Windows that end after this time, RFC 3339; unless given, the newest 90 of those before `to`.',
    '2026-01-01T00:00:00Z',
  ),
  to: time(
    'Windows that start before this time; up to the newest window unless given.',
    '2026-02-01T00:00:00Z',
  ),
  as_of: asOf,
})

/** A report as one page. */
export const ReportAnswer = {
  description:
    'One HTML file that needs no other and runs no script; the element `report-data` holds its data as JSON.',
  content: {
    'text/html': {
      schema: Type.String(),
      example: '<!doctype html><html lang="en"><head><title>fraud</title></head></html>',
    },
  },
}
