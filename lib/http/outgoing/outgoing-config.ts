/** What requests to addresses that files name go by: launches of jobs, and alerts. */
import Type, { type Static } from 'typebox'
import { ConfigError } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import { LinkConfig } from '../links/link-keys.ts'
import { parseAllowed, type AllowedAddresses } from './address-rules.ts'

/** What model files may have this process do, as environment variables. */
export const CommandConfig = Type.Object({
  PLUMBLINE_ALLOW_COMMANDS: Type.Enum(['off', 'on'], {
    default: 'off',
    description:
      'Whether policies and judges of kind command may start programs, as the user of this process. Off: their runs fail with that reason, and such judges are asked nothing.',
  }),
})

/** Settings of requests that are sent out, as environment variables. */
export const OutgoingConfig = Type.Object({
  ...LinkConfig.properties,
  PLUMBLINE_WEBHOOK_SECRET: Type.Optional(
    Type.String({
      pattern: '^whsec_[A-Za-z0-9+/=]{32,}$',
      description:
        'Key of webhook signatures (Standard Webhooks): whsec_ and 24 to 64 random bytes in base64. Unset: made once, in webhook.secret of the data folder.',
    }),
  ),
  PLUMBLINE_LAUNCH_ADDRESSES: Type.String({
    default: 'loopback',
    description:
      'What launches, alerts and judges may reach besides public addresses, separated by commas: loopback, private (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7), addresses and networks such as 10.1.0.0/16. Empty: public ones alone. Addresses at which clouds tell secrets are reached only where they are named one by one.',
  }),
  PLUMBLINE_PUBLIC_URL: Type.Optional(
    Type.String({
      pattern: '^https?://',
      description:
        'Address at which launched jobs report back, and that alerts link to. Unset: that of the HTTP server.',
    }),
  ),
})
/** Settings of requests that are sent out, as environment variables. */
export type OutgoingConfig = Static<typeof OutgoingConfig>

/**
 * What may be reached besides public addresses.
 *
 * @throws {ConfigError} with the part of the setting that is neither a name nor an address
 */
export function allowedAddresses({
  PLUMBLINE_LAUNCH_ADDRESSES: text,
}: Pick<OutgoingConfig, 'PLUMBLINE_LAUNCH_ADDRESSES'>): AllowedAddresses {
  try {
    return parseAllowed(text)
  } catch (error) {
    throw new ConfigError([`PLUMBLINE_LAUNCH_ADDRESSES: ${messageOf(error)}`])
  }
}
