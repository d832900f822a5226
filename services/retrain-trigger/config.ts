import Type, { type Static } from 'typebox'

/** Settings of retrain-trigger, as environment variables. */
export const RetrainConfig = Type.Object({
  PLUMBLINE_ALERTMANAGER_URL: Type.Optional(
    Type.String({
      pattern: '^https?://',
      description: 'Alertmanager that receives the active alarms (its API v2). Unset: none.',
    }),
  ),
  PLUMBLINE_WEBHOOK_SECRET: Type.Optional(
    Type.String({
      pattern: '^whsec_[A-Za-z0-9+/=]{32,}$',
      description:
        'Key of webhook signatures (Standard Webhooks): whsec_ and 24 to 64 random bytes in base64. Unset: made once, in webhook.secret of the data folder.',
    }),
  ),
  PLUMBLINE_ALLOW_COMMANDS: Type.Enum(['off', 'on'], {
    default: 'off',
    description:
      'Whether policies of kind command may start programs, as the user of this process. Off: their runs fail with that reason.',
  }),
  PLUMBLINE_PUBLIC_URL: Type.Optional(
    Type.String({
      pattern: '^https?://',
      description: 'Address at which launched jobs report back. Unset: that of the HTTP server.',
    }),
  ),
})
/** Settings of retrain-trigger, as environment variables. */
export type RetrainConfig = Static<typeof RetrainConfig>
