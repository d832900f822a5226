/**
 * Operations that the walk of the document does not see succeed: keys need a key file
 * (`test/e2e/keys-command.test.ts`), and unmuting needs a judge that is muted
 * (`test/integration/judges/mute-judges.test.ts`).
 */
export const SEEN_ELSEWHERE = [
  'DELETE /v1/keys/{key}',
  'GET /v1/keys',
  'POST /v1/keys',
  'POST /v1/keys/{key}/rotate',
  'POST /v1/models/{id}/judges/{judge}/unmute',
]
