/** What is in force in a process, for those who operate it. */
import { ConfigAnswer, type InForce } from '../../schemas/http/config.ts'
import { answers } from '../../schemas/http/errors.ts'
import type { Http } from './server-types.ts'

/** Adds `GET /v1/config`. */
export function addConfig(app: Http, inForce: () => InForce): void {
  app.get(
    '/v1/config',
    {
      config: { scope: 'operate' },
      schema: {
        summary:
          'Settings, model files, source files and certificate that are in force in this process',
        tags: ['service'],
        response: answers({ 200: ConfigAnswer }),
      },
    },
    async () => inForce(),
  )
}
