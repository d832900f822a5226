/** Bodies and answers of links by which one person answers one run once. */
import Type from 'typebox'
import { ONE_RUN, OneRunAnswer, RunAnswer } from '../retrain-trigger.ts'
import { closed, id, time } from '../parts.ts'

const SHOWN = {
  run_id: id('The run of the page.', '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d'),
  token: Type.String({
    minLength: 1,
    maxLength: 200,
    description: 'What follows # in the address of the link.',
  }),
}
const EXAMPLE = { run_id: '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d', token: 'ID.MAC' }

/** Shows a link. */
export const OpenLinkBody = closed(SHOWN, { examples: [EXAMPLE] })

/** Answers a run by a link. */
export const UseLinkBody = closed(
  {
    ...SHOWN,
    act: Type.Enum(['approve', 'reject']),
    message: Type.String({
      minLength: 1,
      maxLength: 10_000,
      pattern: '\\S',
      description: 'Why, for the audit log.',
    }),
  },
  { examples: [{ ...EXAMPLE, act: 'approve', message: 'looks right' }] },
)

/** Whose link it is, and the run with its evidence. */
export const OpenLinkAnswer = closed(
  {
    person: Type.String({ description: 'Who answers by it.' }),
    expires_at: time('Until when.'),
    run: OneRunAnswer,
  },
  {
    description: 'Whose link it is, and the run that it is for.',
    examples: [{ person: 'ann', expires_at: '2026-01-08T00:00:00.000Z', run: ONE_RUN }],
  },
)

/** The run as the answer left it. */
export const UseLinkAnswer = RunAnswer
