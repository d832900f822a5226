/**
 * What the environment says of Kafka, besides its brokers: names, TLS, the login.
 * `kafka-security.ts` reads what it names.
 */
import Type from 'typebox'

/** The mechanisms of a login, by the names that Kafka's own clients give them. */
const MECHANISMS = [
  'PLAIN',
  'SCRAM-SHA-256',
  'SCRAM-SHA-512',
  'OAUTHBEARER',
  'AWS_MSK_IAM',
] as const

const file = (description: string) => Type.Optional(Type.String({ description }))
const text = file

/** Settings of the connection to Kafka, by the names of their environment variables. */
export const KAFKA_PROPERTIES = {
  PLUMBLINE_KAFKA_BROKERS: text(
    'host:port of Kafka brokers, separated by commas. Unset: the log is in process, and accepted means stored.',
  ),
  PLUMBLINE_KAFKA_PARTITIONS: Type.Integer({
    minimum: 1,
    maximum: 1000,
    default: 4,
    description:
      'Partitions of the topics that are created at start; topics that exist keep theirs.',
  }),
  PLUMBLINE_KAFKA_REPLICATION_FACTOR: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 32_767,
      description:
        'Replicas of the topics that are created at start. Unset: what the brokers have as their default.',
    }),
  ),
  PLUMBLINE_KAFKA_TOPIC_PREFIX: Type.String({
    default: '',
    pattern: '^[A-Za-z0-9._-]{0,100}$',
    description:
      'What Plumbline’s own topics are called before `plumbline.`, such as `team-a.`; tables and metrics go on naming topics without it.',
  }),
  PLUMBLINE_KAFKA_GROUP_PREFIX: Type.String({
    default: '',
    pattern: '^[A-Za-z0-9._-]{0,100}$',
    description: 'What the consumer groups are called before `plumbline-`.',
  }),
  PLUMBLINE_KAFKA_SESSION_SECONDS: Type.Integer({
    minimum: 2,
    maximum: 300,
    default: 30,
    description:
      'How long a consumer that says nothing keeps its partitions; after a crash they wait that long for another.',
  }),
  PLUMBLINE_KAFKA_TLS: Type.Enum(['off', 'on'], {
    default: 'off',
    description: 'Whether brokers are spoken to over TLS.',
  }),
  PLUMBLINE_KAFKA_CA_FILE: file(
    'PEM file of the CAs that sign the brokers’ certificates. Unset: those that Node trusts.',
  ),
  PLUMBLINE_KAFKA_CERT_FILE: file(
    'PEM file of our own certificate and those between it and its CA, for brokers that ask for one.',
  ),
  PLUMBLINE_KAFKA_KEY_FILE: file('PEM file of the key of that certificate, without a passphrase.'),
  PLUMBLINE_KAFKA_SASL_MECHANISM: Type.Optional(
    Type.Enum([...MECHANISMS], { description: 'How to log in. Unset: there is no login.' }),
  ),
  PLUMBLINE_KAFKA_SASL_USERNAME: text('Who logs in, with PLAIN and SCRAM.'),
  PLUMBLINE_KAFKA_SASL_PASSWORD: text('Its password; or PLUMBLINE_KAFKA_SASL_PASSWORD_FILE.'),
  PLUMBLINE_KAFKA_SASL_PASSWORD_FILE: file(
    'File with the password alone, read at each login; a line end behind it does not count.',
  ),
  PLUMBLINE_KAFKA_OAUTH_TOKEN_URL: Type.Optional(
    Type.String({
      pattern: '^https?://[^@]+$',
      description:
        'Where OAUTHBEARER gets its tokens, by client credentials. A private CA of it goes into NODE_EXTRA_CA_CERTS.',
    }),
  ),
  PLUMBLINE_KAFKA_OAUTH_CLIENT_ID: text('Who asks for a token.'),
  PLUMBLINE_KAFKA_OAUTH_CLIENT_SECRET: text(
    'Its secret; or PLUMBLINE_KAFKA_OAUTH_CLIENT_SECRET_FILE.',
  ),
  PLUMBLINE_KAFKA_OAUTH_CLIENT_SECRET_FILE: file(
    'File with the secret alone, read at each request of a token.',
  ),
  PLUMBLINE_KAFKA_OAUTH_SCOPE: text(
    'The scope that is asked for, such as `kafka` or `api://…/.default`.',
  ),
  PLUMBLINE_KAFKA_OAUTH_EXTENSIONS: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z]+=[^,=]+(,[A-Za-z]+=[^,=]+)*$',
      description:
        'SASL extensions sent with a token, as name=value,name=value; Confluent Cloud wants logicalCluster and identityPoolId.',
    }),
  ),
  PLUMBLINE_KAFKA_AWS_REGION: text(
    'Region that AWS_MSK_IAM signs for. Unset: the one in the first broker’s name.',
  ),
}
