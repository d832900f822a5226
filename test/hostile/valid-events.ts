/** One event of each type with every field, as a friend sends it. */
import { prediction } from '../servers/processes.ts'
import type { Json } from './valid-request.ts'

/** When everything happened. */
export const AT = '2026-01-01T00:00:00Z'

/** A prediction with every field. */
export const PREDICTION = prediction(1, {
  model_id: 'fuzzed',
  scores: { 0: 0.1, 1: 0.9 },
  attributes: { sex: '2' },
  quantiles: { '0.1': 1, '0.9': 2 },
  target_time: AT,
  decision: 'deny',
  group_id: 'g',
  position: 3,
  exposure_propensity: 0.5,
  propensity: 0.05,
  exploration: true,
  variant: 'b',
  request_id: 'r',
  shadow: false,
  latency_ms: 12.5,
  time_to_first_token_ms: 3.5,
  cost_usd: 0.002,
  input_tokens: 100,
  output_tokens: 20,
  status: 'ok',
  input_text: 'a',
  output_text: 'b',
  embedding: [0.1, -0.2],
  attributions: { amount: 0.4 },
  subject_id: 's',
  trace_id: 't',
  sampling_fraction: 0.1,
  producer: { id: 'pod-1', sequence: 42 },
}) as Json

/** A label with every field. */
export const LABEL: Json = {
  label_id: 'l-1',
  model_id: 'fuzzed',
  prediction_id: 'p-1',
  label: ['a', 'b'],
  labelled_at: AT,
  source: 'human_review',
  name: 'topics',
  labeler: 'ann',
  confidence: 0.8,
  comment: 'sure',
  retracted: false,
  final: true,
  inclusion_probability: 0.25,
}

/** Attributes of a subject and of one prediction. */
export const ATTRIBUTES: Json = {
  subject_id: 's',
  prediction_id: 'p-1',
  attributes: { sex: '2', region: 'north' },
  observed_at: AT,
}
