/**
 * The Confluent-compatible schema registry: schemas by id, and registering ours.
 *
 * The client is `@kafkajs/confluent-schema-registry`: it forms the requests (addresses, content
 * type, user agent, credentials) and holds the protocol of registering. `registry-transport.ts`
 * carries them. Its `getSchema` is not used: it compiles whatever anyone registered, and remembers
 * all of it; values are read by `decoder.ts`.
 */
import type { SchemaRegistry as Client } from '@kafkajs/confluent-schema-registry'
import type { RegistryTls } from './registry-requests.ts'
import { boundedTransport, RegistryAnswer, RegistryAway } from './registry-transport.ts'

/** A schema as the registry has it. */
export interface RegisteredSchema {
  /** As text; of Avro and of JSON Schema it is JSON. */
  schema: string
  /** `AVRO`, `JSON`, `PROTOBUF`, or what else a registry knows. */
  type: string
  /** Schemas of other subjects that it is made of. */
  references: number
}

/** What is asked of a schema registry. */
export interface SchemaRegistry {
  /**
   * The schema of an id; undefined when the registry says that it has none, `too_large` beyond
   * `MAX_SCHEMA_BYTES`.
   *
   * @throws RegistryAway for every other answer, and for none
   */
  byId: (id: number) => Promise<RegisteredSchema | 'too_large' | undefined>
  /**
   * Registers an Avro schema under a subject whose compatibility is BACKWARD_TRANSITIVE, and
   * returns its id; registering the same schema again gives the same id.
   *
   * @throws with the registry's own reason when the schema is not compatible with all earlier
   *   versions
   */
  register: (subject: string, schema: string) => Promise<number>
}

/**
 * How the registry is asked: by HTTP's basic authentication where `auth` is given, over TLS as
 * `tls` says.
 */
export interface RegistryAccess {
  auth?: { username: string; password: string }
  tls?: RegistryTls
}

/**
 * Makes a client; nothing is asked before its first call.
 *
 * @param url without a trailing slash and without credentials, such as `http://127.0.0.1:8081` or
 *   Apicurio's
 *   `…/apis/ccompat/v7`
 */
export function schemaRegistry(url: string, access: RegistryAccess = {}): SchemaRegistry {
  let client: Promise<Client> | undefined
  const connected = () => (client ??= clientOf(url, access))
  return {
    byId: async (id) => schemaById(await connected(), id),
    register: async (subject, schema) => registerSchema(await connected(), subject, schema),
  }
}

/**
 * The package is loaded with the first question: it takes 27 MB, which a process without Avro does
 * not need.
 */
async function clientOf(url: string, { auth, tls }: RegistryAccess): Promise<Client> {
  const { SchemaRegistry } = await import('@kafkajs/confluent-schema-registry')
  return new SchemaRegistry({
    host: url,
    clientId: 'plumbline',
    middlewares: [boundedTransport(url, tls)],
    ...(auth && { auth: { ...auth } }),
  })
}

async function schemaById(
  client: Client,
  id: number,
): Promise<RegisteredSchema | 'too_large' | undefined> {
  const { status, text, isOk } = await answerTo(requestsOf(client).Schema.find({ id }))
  // A page is of a proxy, which says nothing of the schema.
  if (status === 404 && !text?.trimStart().startsWith('<')) return undefined
  if (!isOk) throw new RegistryAway(`the schema registry answered ${status} for schema ${id}`)
  return text === undefined ? 'too_large' : schemaOf(id, text)
}

async function registerSchema(client: Client, subject: string, schema: string): Promise<number> {
  const { COMPATIBILITY, SchemaType } = await import('@kafkajs/confluent-schema-registry')
  const compatibility = COMPATIBILITY.BACKWARD_TRANSITIVE
  // The package sets the level after the first version alone, and refuses a subject that has
  // another one.
  const level = requestsOf(client).Subject.updateConfig({ subject, body: { compatibility } })
  requireOk(await answerTo(level), `cannot set the compatibility of ${subject}`)
  const registered = client.register({ type: SchemaType.AVRO, schema }, { subject, compatibility })
  const refusal = `the schema registry refused the schema of ${subject}`
  return registered.then(
    ({ id }) => id,
    (error: unknown) => {
      if (error instanceof RegistryAnswer) requireOk(error, refusal)
      throw error
    },
  )
}

/** The requests one by one, which the package's types keep private; its version is pinned. */
const requestsOf = (client: Client): Client['api'] => client['api']

/** The answer, whether the transport returned or threw it. */
async function answerTo(request: Promise<unknown>): Promise<RegistryAnswer> {
  return (await request.catch((error: unknown) => {
    if (error instanceof RegistryAnswer) return error
    throw error
  })) as RegistryAnswer
}

function requireOk(answer: RegistryAnswer, what: string): void {
  if (!answer.isOk) throw new Error(`${what}: ${answer.message}`)
}

/**
 * @throws RegistryAway where the answer holds no schema: something else answers in the registry's
 * place
 */
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
