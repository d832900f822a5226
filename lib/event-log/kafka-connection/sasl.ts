/**
 * The login as kafkajs asks for it. kafkajs' own exchanges are used for passwords; each of its
 * errors looks like a refused login though, a lost connection too: here those that the broker
 * answered are told from those that another attempt may mend. Its OAUTHBEARER does not read what
 * the broker answers, and takes a refused token for a login.
 */
import { createRequire } from 'node:module'
import type { AuthenticationProviderArgs, Authenticator, Mechanism } from 'kafkajs'
import { messageOf } from '../../runtime/errors.ts'
import { KafkaRefused, refusalIn } from './refused.ts'
import type { KafkaLogin, PasswordLogin, TokenLogin } from './security.ts'

type Provider = (sasl: {
  username: string
  password: string
}) => (args: AuthenticationProviderArgs) => Authenticator

const require = createRequire(import.meta.url)
const provider = (name: string) =>
  require(`kafkajs/src/broker/saslAuthenticator/${name}`) as Provider

const PASSWORD_EXCHANGES: Record<PasswordLogin['mechanism'], Provider> = {
  PLAIN: provider('plain'),
  'SCRAM-SHA-256': provider('scram256'),
  'SCRAM-SHA-512': provider('scram512'),
}

const SEPARATOR = '\u0001'

/** The `sasl` option of kafkajs for a login. */
export const saslOf = (login: KafkaLogin): Mechanism => ({
  // MSK takes its tokens as OAUTHBEARER; its own AWS_MSK_IAM is for Java clients.
  mechanism: login.mechanism === 'AWS_MSK_IAM' ? 'OAUTHBEARER' : login.mechanism,
  authenticationProvider: (args) => ({ authenticate: () => logIn(login, args) }),
})

/** @throws {KafkaRefused} where the broker refused; whatever broke the exchange otherwise */
async function logIn(login: KafkaLogin, args: AuthenticationProviderArgs): Promise<void> {
  let broken: unknown
  const saslAuthenticate: AuthenticationProviderArgs['saslAuthenticate'] = async (exchange) => {
    try {
      return await args.saslAuthenticate(exchange)
    } catch (error) {
      broken = error
      throw error
    }
  }
  const sender = { ...args, saslAuthenticate }
  try {
    if ('token' in login) await sendToken(login, sender)
    else
      await PASSWORD_EXCHANGES[login.mechanism]({
        username: login.username,
        password: login.password(),
      })(sender).authenticate()
  } catch (error) {
    if (error instanceof KafkaRefused) throw error
    const isRefused = refusalIn(broken) !== undefined
    if (broken !== undefined && !isRefused) throw broken
    // A SCRAM exchange may end by the client's own doubt: the broker could not show that it knows
    // the password.
    const isDoubt =
      broken === undefined && (error as Error).name === 'KafkaJSSASLAuthenticationError'
    if (isRefused || isDoubt) throw refused(login, args, messageOf(isRefused ? broken : error))
    throw error
  }
}

const refused = (
  { mechanism, username }: KafkaLogin,
  { host, port }: AuthenticationProviderArgs,
  why: string,
) =>
  new KafkaRefused(
    `Kafka at ${host}:${port} refused the login of ${username} (${mechanism}): ${why}`,
  )

/** Sends a token; a broker that refuses it answers with a document in place of nothing. */
async function sendToken(login: TokenLogin, args: AuthenticationProviderArgs): Promise<void> {
  const message = Buffer.from(tokenMessage(await login.token(), login.extensions ?? {}))
  const answer = await args.saslAuthenticate<Buffer>({
    request: { encode: async () => withLength(message) },
    response: {
      decode: async (raw: Buffer) => raw.subarray(4),
      parse: async (text: Buffer) => text,
    } as never,
  })
  if (answer && answer.length > 0) throw refused(login, args, answer.toString('utf8'))
}

/** The first message of OAUTHBEARER, RFC 7628; GS2 header without an identity to act as. */
function tokenMessage(token: string, extensions: Readonly<Record<string, string>>): string {
  const pairs = Object.entries({ auth: `Bearer ${token}`, ...extensions })
  return `n,,${SEPARATOR}${pairs.map(([key, value]) => `${key}=${value}${SEPARATOR}`).join('')}${SEPARATOR}`
}

function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(message.length)
  return Buffer.concat([length, message])
}
