import Type, { type Static } from 'typebox'
import { parseAllowed, type AllowedAddresses } from '../../lib/http/outgoing/address-rules.ts'
import { ConfigError } from '../../lib/runtime/config.ts'
import { messageOf } from '../../lib/runtime/errors.ts'

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
  PLUMBLINE_LAUNCH_ADDRESSES: Type.String({
    default: 'loopback',
    description:
      'What launches may reach besides public addresses, separated by commas: loopback, private (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7), addresses and networks such as 10.1.0.0/16. Empty: public ones alone. Addresses at which clouds tell secrets are reached only where they are named one by one.',
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

/**
 * What launches may reach.
 *
 * @throws {ConfigError} with the part of the setting that is neither a name nor an address
 */
export function allowedAddresses({
  PLUMBLINE_LAUNCH_ADDRESSES: text,
}: Pick<RetrainConfig, 'PLUMBLINE_LAUNCH_ADDRESSES'>): AllowedAddresses {
  try {
    return parseAllowed(text)
  } catch (error) {
    throw new ConfigError([`PLUMBLINE_LAUNCH_ADDRESSES: ${messageOf(error)}`])
  }
}
