/** The answer of `GET /v1/config`: what a process goes by. */
import Type, { type Static } from 'typebox'
import { closed, nullable } from './parts.ts'

const instant = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-01-01T00:00:00.000Z'] })

const Setting = closed({
  name: Type.String({ description: 'Name of the environment variable.' }),
  value: nullable(
    Type.Union([Type.String(), Type.Number()], {
      description: 'Null where it is not among those that are shown: it may be a secret.',
    }),
  ),
})

const LoadedFile = closed({
  file: Type.String(),
  model_id: Type.String(),
  sha256: Type.String({ description: 'Hash of its bytes, hexadecimal.' }),
  loaded_at: instant('When it was read.'),
})

const Refused = closed(
  {
    at: instant('When it was tried.'),
    problems: Type.Array(Type.String(), { description: 'The first hundred.' }),
  },
  {
    description: 'The last reading, where it was refused: all files that were loaded before stay.',
  },
)

/** What this process goes by. */
export const ConfigAnswer = closed(
  {
    settings: Type.Array(Setting, { description: 'Those that are set or have a default.' }),
    models: closed({
      folder: Type.String(),
      loaded_at: instant('When files last came into force.'),
      files: Type.Array(LoadedFile),
      refused: nullable(Refused),
    }),
    sources: closed({
      folder: Type.String(),
      loaded_at: instant('When other files came into force last.'),
      files: Type.Array(
        closed({
          source: Type.String({ description: 'Its name.' }),
          revision: Type.String({ description: 'Hash of its text, and of its `.proto`.' }),
        }),
      ),
      refused: nullable(Refused),
    }),
    prices: nullable(
      closed(
        {
          file: Type.String(),
          loaded_at: instant('When other prices came into force last.'),
          entries: Type.Integer({ description: 'Prices in the file.' }),
          refused: nullable(Refused),
        },
        { description: 'Prices of language models; null where no file is set.' },
      ),
    ),
    tls: nullable(
      closed(
        {
          subject: Type.String(),
          valid_from: instant('From when the certificate holds.'),
          valid_to: instant('Until when it does.'),
          refused: nullable(Refused),
        },
        { description: 'The certificate of the HTTP port; null where it speaks plain HTTP.' },
      ),
    ),
  },
  {
    description: 'What is in force in this process.',
    examples: [
      {
        settings: [
          { name: 'PLUMBLINE_HTTP_PORT', value: 8080 },
          { name: 'PLUMBLINE_WEBHOOK_SECRET', value: null },
        ],
        models: {
          folder: './models',
          loaded_at: '2026-01-01T00:00:00.000Z',
          files: [
            {
              file: 'loan-approval.yaml',
              model_id: 'loan-approval',
              sha256: '5f3c0a5a6a4d0f0c2a1b3e9d7c8b6a5f4e3d2c1b0a9f8e7d6c5b4a3f2e1d0c9b',
              loaded_at: '2026-01-01T00:00:00.000Z',
            },
          ],
          refused: { at: '2026-01-02T00:00:00.000Z', problems: ['fraud.yaml: task is missing'] },
        },
        sources: {
          folder: './sources',
          loaded_at: '2026-01-01T00:00:00.000Z',
          files: [{ source: 'shop', revision: '5f3c0a5a6a4d0f0c' }],
          refused: null,
        },
        prices: {
          file: './prices.yaml',
          loaded_at: '2026-01-01T00:00:00.000Z',
          entries: 12,
          refused: null,
        },
        tls: null,
      },
    ],
  },
)
/** What is in force, with every secret left out. */
export type InForce = Static<typeof ConfigAnswer>
