/** What is in force in a process, for those who operate it. */
import type { Static } from 'typebox'
import { ConfigAnswer } from '../../schemas/http/config.ts'
import { answers } from '../../schemas/http/errors.ts'
import type { Http } from './server-types.ts'

/** What is in force, with every secret left out. */
export type InForce = Static<typeof ConfigAnswer>

/** Adds `GET /v1/config`. */
export function addConfig(app: Http, inForce: () => InForce): void {
  app.get(
    '/v1/config',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Settings, model files and certificate that are in force in this process',
        tags: ['service'],
        response: answers({ 200: ConfigAnswer }),
      },
    },
    async () => inForce(),
  )
}
