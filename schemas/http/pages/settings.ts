/** The answer of a model's settings. */
import Type from 'typebox'
import { closed } from '../parts.ts'

/** The settings of a model that are in force, in words. */
export const SettingsAnswer = closed(
  {
    model_id: Type.String(),
    revision: Type.String({ description: 'Revision of its file; empty of a model without one.' }),
    sections: Type.Array(
      closed({
        section: Type.String({ description: 'What its settings are about.' }),
        settings: Type.Array(
          closed({
            setting: Type.String({ description: 'Its name in the model file.' }),
            value: Type.Unknown({
              description: 'As a model file has it; null where it is not set and has no default.',
            }),
            is_default: Type.Boolean({ description: 'The model file does not name it.' }),
            says: Type.String({ description: 'What it means, as a sentence.' }),
          }),
        ),
      }),
    ),
  },
  {
    description: 'Settings that are in force; launches of policies are left out.',
    examples: [
      {
        model_id: 'fraud',
        revision: '9f86d081',
        sections: [
          {
            section: 'Windows',
            settings: [
              {
                setting: 'windows.idle',
                value: '60s',
                is_default: true,
                says: 'After 60s of silence a partition of the log no longer holds windows back.',
              },
            ],
          },
        ],
      },
    ],
  },
)
