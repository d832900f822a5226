import Type, { type Static } from 'typebox'
import { OutgoingConfig } from '../../lib/http/outgoing/outgoing-config.ts'

/** Settings of retrain-trigger, as environment variables. */
export const RetrainConfig = Type.Object({
  ...OutgoingConfig.properties,
  PLUMBLINE_ALLOW_COMMANDS: Type.Enum(['off', 'on'], {
    default: 'off',
    description:
      'Whether policies of kind command may start programs, as the user of this process. Off: their runs fail with that reason.',
  }),
})
/** Settings of retrain-trigger, as environment variables. */
export type RetrainConfig = Static<typeof RetrainConfig>
