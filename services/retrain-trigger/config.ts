import Type, { type Static } from 'typebox'
import { CommandConfig, OutgoingConfig } from '../../lib/http/outgoing/outgoing-config.ts'

/** Settings of retrain-trigger, as environment variables. */
export const RetrainConfig = Type.Object({
  ...OutgoingConfig.properties,
  ...CommandConfig.properties,
})
/** Settings of retrain-trigger, as environment variables. */
export type RetrainConfig = Static<typeof RetrainConfig>
