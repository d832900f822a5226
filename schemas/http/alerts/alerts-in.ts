/** Bodies and answers of alerts that come in. */
import Type, { type Static } from 'typebox'
import { closed, texts } from '../parts.ts'

/** The webhook of Alertmanager (version 4) and of Grafana: the parts that both have. */
export const AlertsBody = Type.Object(
  {
    version: Type.Optional(
      Type.Unknown({ description: '`4` of Alertmanager, `1` of Grafana; another is refused.' }),
    ),
    alerts: Type.Array(
      Type.Object({
        status: Type.String({ description: 'Only `firing` ones ask for a run.' }),
        labels: texts({
          description: '`model_id` and `plumbline_policy` name the policy that is asked.',
        }),
        annotations: Type.Optional(texts()),
        startsAt: Type.Optional(Type.String()),
        fingerprint: Type.Optional(Type.String()),
      }),
      { maxItems: 1000 },
    ),
  },
  {
    examples: [
      {
        version: '4',
        receiver: 'plumbline',
        alerts: [
          {
            status: 'firing',
            labels: { alertname: 'Late', model_id: 'fraud', plumbline_policy: 'drifted' },
            annotations: { summary: 'answers come late' },
            startsAt: '2026-01-01T00:00:00Z',
            fingerprint: 'f1',
          },
        ],
      },
    ],
  },
)
export type AlertsBody = Static<typeof AlertsBody>

/** What became of alerts. */
export const AlertsAnswer = closed(
  {
    received: Type.Integer({ minimum: 0 }),
    launched: Type.Array(Type.String(), { description: 'Ids of the runs that were asked for.' }),
    ignored: Type.Array(closed({ cause: Type.String(), reason: Type.String() }), {
      description: 'Alerts that asked for no run of their own, and why.',
    }),
  },
  {
    description: 'One run at most for each policy.',
    examples: [{ received: 1, launched: ['5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d'], ignored: [] }],
  },
)
