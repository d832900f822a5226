/** The Confluent-compatible schema registry: schemas by id, and registering ours (`/schemas/ids`, `/subjects`). */

/** A schema as the registry has it. */
export interface RegisteredSchema {
  /** As text; of Avro and of JSON Schema it is JSON. */
  schema: string
  /** `AVRO`, `JSON`, `PROTOBUF`, or what else a registry knows. */
  type: string
  /** Schemas of other subjects that it is made of. */
  references: number
}

export interface SchemaRegistry {
  /**
   * The schema of an id; undefined when the registry says that it has none, `too_large` beyond
   * {@link MAX_SCHEMA_BYTES}.
   *
   * @throws RegistryAway for every other answer, and for none
   */
  byId: (id: number) => Promise<RegisteredSchema | 'too_large' | undefined>
  /**
   * Registers a schema under a subject whose compatibility is BACKWARD_TRANSITIVE, and returns its id; registering
   * the same schema again gives the same id.
   *
   * @throws with the registry's own reason when the schema is not compatible with all earlier versions
   */
  register: (subject: string, schema: string) => Promise<number>
}

/** The registry gave no answer that says anything of a schema: what waits for it is tried again. */
export class RegistryAway extends Error {
  /** As errors of the network have it: the fault is not the data's. */
  readonly code = 'EREGISTRY'
}

/** Bytes of an answer that holds a schema. */
export const MAX_SCHEMA_BYTES = 1 << 20
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
      throw new RegistryAway(`the schema registry at ${url} cannot be reached`, { cause })
    }
  }

  return {
    byId: async (id) => {
      const response = await ask('GET', `/schemas/ids/${id}`)
      const text = await textOf(response).catch((cause: unknown) => {
        throw new RegistryAway(`the schema registry broke off its answer for schema ${id}`, {
          cause,
        })
      })
      // A page is of a proxy, which says nothing of the schema.
      if (response.status === 404 && !text?.trimStart().startsWith('<')) return undefined
      if (!response.ok)
        throw new RegistryAway(`the schema registry answered ${response.status} for schema ${id}`)
      return text === undefined ? 'too_large' : schemaOf(id, text)
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

/** @throws RegistryAway where the answer holds no schema: something else answers in the registry's place */
function schemaOf(id: number, text: string): RegisteredSchema {
  const answer = parsed(text) as Record<string, unknown> | undefined
  const { schema, schemaType = 'AVRO', references } = answer ?? {}
  if (typeof schema !== 'string' || typeof schemaType !== 'string')
    throw new RegistryAway(`the schema registry's answer for schema ${id} holds no schema`)
  return {
    schema,
    type: schemaType,
    references: Array.isArray(references) ? references.length : 0,
  }
}

/** JSON as an object; undefined where it is none. */
function parsed(text: string): object | undefined {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** The body as text; undefined when it is longer than a schema may be. */
async function textOf({ body }: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += (chunk as Uint8Array).length
    // Leaving the loop ends the connection.
    if (bytes > MAX_SCHEMA_BYTES) return undefined
    chunks.push(chunk as Uint8Array)
  }
  return Buffer.concat(chunks).toString()
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
