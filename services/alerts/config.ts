import Type, { type Static } from 'typebox'

/** Settings of alerts, as environment variables. */
export const AlertsConfig = Type.Object({
  PLUMBLINE_ALERTS_FILE: Type.Optional(
    Type.String({
      description:
        'File that says who is told of what: receivers, routes, digests (docs/alerts.md). Unset: nobody is.',
    }),
  ),
  PLUMBLINE_ALERTMANAGER_URL: Type.Optional(
    Type.String({
      pattern: '^https?://',
      description: 'Alertmanager that receives the active alarms (its API v2). Unset: none.',
    }),
  ),
})
/** Settings of alerts, as environment variables. */
export type AlertsConfig = Static<typeof AlertsConfig>
