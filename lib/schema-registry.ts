/** The Confluent-compatible schema registry: schemas by id, and registering ours (`/schemas/ids`, `/subjects`). */

export interface SchemaRegistry {
  /** The schema of an id as JSON text; undefined when the registry has none. */
  byId: (id: number) => Promise<string | undefined>
  /**
   * Registers a schema under a subject whose compatibility is BACKWARD_TRANSITIVE, and returns its id; registering
   * the same schema again gives the same id.
   *
   * @throws with the registry's own reason when the schema is not compatible with all earlier versions
   */
  register: (subject: string, schema: string) => Promise<number>
}

const TIMEOUT_MS = 5000
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'

/** @param url without a trailing slash, such as `http://127.0.0.1:8081` or Apicurio's `…/apis/ccompat/v7` */
export function schemaRegistry(url: string): SchemaRegistry {
  async function ask(method: string, path: string, body?: unknown): Promise<Response> {
    try {
      return await fetch(`${url}${path}`, {
        method,
        headers: { accept: CONTENT_TYPE, 'content-type': CONTENT_TYPE },
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    } catch (cause) {
      throw new Error(`the schema registry at ${url} cannot be reached`, { cause })
    }
  }

  return {
    byId: async (id) => {
      const response = await ask('GET', `/schemas/ids/${id}`)
      if (response.status === 404) return undefined
      if (!response.ok)
        throw new Error(`the schema registry answered ${response.status} for schema ${id}`)
      const { schema, schemaType = 'AVRO' } = (await response.json()) as {
        schema: string
        schemaType?: string
      }
      return schemaType === 'AVRO' ? schema : undefined
    },
    register: async (subject, schema) => {
      const name = encodeURIComponent(subject)
      const level = await ask('PUT', `/config/${name}`, { compatibility: 'BACKWARD_TRANSITIVE' })
      if (!level.ok) throw await refusal(level, `cannot set the compatibility of ${subject}`)
      const response = await ask('POST', `/subjects/${name}/versions`, { schema })
      if (!response.ok)
        throw await refusal(response, `the schema registry refused the schema of ${subject}`)
      return ((await response.json()) as { id: number }).id
    },
  }
}

async function refusal(response: Response, what: string): Promise<Error> {
  const text = await response.text()
  let reason = text
  try {
    reason = (JSON.parse(text) as { message?: string }).message ?? text
  } catch {
    // Not JSON: told as it is.
  }
  return new Error(`${what}: ${response.status} ${reason}`)
}
