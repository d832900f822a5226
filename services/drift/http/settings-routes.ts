/** A model's settings as they are in force. */
import type { Http } from '../../../lib/http/server.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import { SettingsAnswer } from '../../../schemas/http/pages/settings.ts'
import { settingsInWords } from '../plan/settings/settings-in-words.ts'
import { knownModel, type DriftRoutesOptions } from './model-routes.ts'

/** Adds `GET /v1/models/{id}/settings`. */
export function settingsRoutes(
  http: Http,
  options: Pick<DriftRoutesOptions, 'queries' | 'models'>,
): void {
  http.get(
    '/v1/models/:id/settings',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'The settings of a model that are in force, defaults among them, in words',
        tags: ['models'],
        params: ModelPath,
        response: answers({ 200: SettingsAnswer }, 404),
      },
    },
    async ({ params }) => {
      const { model } = await knownModel(options, params.id)
      const { modelId, revision } = model
      return { model_id: modelId, revision, sections: settingsInWords(model) }
    },
  )
}
