/**
 * Requests with one odd value each, which the fuzzer or a look at the routes found answered by 500,
 * or by none for long.
 */
import type { Part, Step } from './steps.ts'

export interface OddRequest {
  name: string
  step: Step
  status: number
  /** What its refusal says. */
  says: string
}

const JSON_TYPE = { 'content-type': 'application/json' }
const FAR = ['-271821-04-20T00:00:00Z', '+275760-09-13T00:00:00Z'] as const
const SPAN = encodeURIComponent(FAR.join('/'))
const YEARS = 'of the years 1900 to 2298'

const put = (body: string, path = '/v1/models/odd/references/spring'): Step => ({
  method: 'PUT',
  path,
  headers: JSON_TYPE,
  body,
})
const get = (path: string): Step => ({ method: 'GET', path, body: '' })
const alerts = (body: readonly Part[]): Step => ({
  method: 'POST',
  path: '/v1/alerts',
  headers: JSON_TYPE,
  body,
})

export const ODD: readonly OddRequest[] = [
  {
    name: 'a reference of all times',
    step: put(JSON.stringify({ from: FAR[0], to: FAR[1] })),
    status: 400,
    says: YEARS,
  },
  {
    name: 'a reference of a version with half a character',
    step: put('{"model_version":"7\\ud800"}'),
    status: 400,
    says: 'body.model_version holds half of a character',
  },
  {
    name: 'a reference with a control character for a name',
    step: put('{"model_version":"7"}', '/v1/models/odd/references/a%00'),
    status: 400,
    says: 'path.name holds the control character',
  },
  {
    name: 'a reference without a body',
    step: { ...put(''), headers: {} },
    status: 400,
    says: 'a reference needs a body',
  },
  ...['compare', 'constraint_violations.json'].map((path) => ({
    name: `${path} of all times`,
    step: get(`/v1/models/odd/${path}?a=${SPAN}&b=${SPAN}`),
    status: 400,
    says: YEARS,
  })),
  {
    name: 'the audit log after a number that no row has',
    step: get('/v1/audit?after=1e300'),
    status: 400,
    says: 'after must be <= 9007199254740991',
  },
  {
    name: 'alerts with a million brackets',
    step: alerts([
      ['{"alerts":[],"x":', 1],
      ['[', 1_000_000],
      [']', 1_000_000],
      ['}', 1],
    ]),
    status: 400,
    says: 'nested deeper than 32',
  },
  {
    name: 'alerts with two million values',
    step: alerts([
      ['{"alerts":[],"x":[', 1],
      ['0,', 2_000_000],
      ['0]}', 1],
    ]),
    status: 400,
    says: 'more than 100000',
  },
  {
    name: 'alerts of more than four megabytes',
    step: alerts([
      ['{"alerts":[],"x":"', 1],
      ['x', 5_000_000],
      ['"}', 1],
    ]),
    status: 413,
    says: 'larger than 4194304 bytes',
  },
]
