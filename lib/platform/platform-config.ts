import Type, { type Static } from 'typebox'
import { KAFKA_PROPERTIES } from './kafka-config.ts'

/** What every target reads from the environment; services add their own. */
export const PlatformConfig = Type.Object({
  PLUMBLINE_HTTP_HOST: Type.String({
    default: '127.0.0.1',
    description: 'Address the HTTP server listens on.',
  }),
  PLUMBLINE_HTTP_PORT: Type.Integer({
    minimum: 0,
    maximum: 65535,
    default: 8080,
    description: 'Port of the HTTP server; 0 takes a free one.',
  }),
  PLUMBLINE_TLS_CERT_FILE: Type.Optional(
    Type.String({
      description:
        'File (PEM) of the certificate of the HTTP port, with those between it and its authority. Unset: plain HTTP. Read again by SIGHUP.',
    }),
  ),
  PLUMBLINE_TLS_KEY_FILE: Type.Optional(
    Type.String({ description: 'File (PEM) of its private key, without a passphrase.' }),
  ),
  PLUMBLINE_ALLOWED_HOSTS: Type.Optional(
    Type.String({
      pattern: '^[^\\s,]+(,[^\\s,]+)*$',
      description:
        'Names besides loopback and PLUMBLINE_HTTP_HOST that a request’s Host, and the Origin of a page, may have, separated by commas: name, name:port, *.suffix, or * for any Host.',
    }),
  ),
  PLUMBLINE_TRUSTED_PROXIES: Type.Optional(
    Type.String({
      pattern: '^[^\\s,]+(,[^\\s,]+)*$',
      description:
        'Proxies whose X-Forwarded-For says whom a request comes from: addresses and ranges such as 10.0.0.0/8, or loopback, linklocal, uniquelocal, separated by commas. Unset: nobody’s.',
    }),
  ),
  PLUMBLINE_PROCESS_RATE_EVENTS_PER_SECOND: Type.Integer({
    minimum: 0,
    maximum: 100_000_000,
    default: 0,
    description:
      'Events a second that one caller may send to each process: by key or token, by address where there is neither. A caller may send n times as much in all to n processes behind one address. 0: as many as they like, since what is too much is known by who runs it; bodies of all callers together are bounded anyway.',
  }),
  PLUMBLINE_PROCESS_RATE_BYTES_PER_SECOND: Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 0,
    description: 'Bytes of bodies, decompressed, a second likewise. 0: as many as they like.',
  }),
  PLUMBLINE_PROCESS_RATE_BURST_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 3600,
    default: 10,
    description: 'Seconds’ worth of either that a caller who was quiet may send at once.',
  }),
  ...KAFKA_PROPERTIES,
  PLUMBLINE_SCHEMA_REGISTRY_URL: Type.Optional(
    Type.String({
      // Addresses are logged: credentials have their own settings.
      pattern: '^https?://[^/@]+(/.*[^/])?$',
      description:
        'Confluent-compatible schema registry, without a trailing slash and without credentials. Unset: JSON on the wire, and Avro becomes a dead letter.',
    }),
  ),
  PLUMBLINE_SCHEMA_REGISTRY_USER: Type.Optional(
    Type.String({
      pattern: '^[^:]+$',
      description: 'User who asks the schema registry (basic authentication). Unset: nobody.',
    }),
  ),
  PLUMBLINE_SCHEMA_REGISTRY_PASSWORD: Type.String({
    default: '',
    description: 'Password of PLUMBLINE_SCHEMA_REGISTRY_USER.',
  }),
  PLUMBLINE_SCHEMA_REGISTRY_CA_FILE: Type.Optional(
    Type.String({
      description:
        'File (PEM) of the authorities that may sign the schema registry’s certificate. Unset: those of Node.',
    }),
  ),
  PLUMBLINE_SCHEMA_REGISTRY_CERT_FILE: Type.Optional(
    Type.String({
      description:
        'File (PEM) of the certificate that Plumbline shows to the schema registry. Unset: none.',
    }),
  ),
  PLUMBLINE_SCHEMA_REGISTRY_KEY_FILE: Type.Optional(
    Type.String({
      description: 'File (PEM) of that certificate’s private key, without a passphrase.',
    }),
  ),
  PLUMBLINE_DUPLICATE_HORIZON: Type.Integer({
    minimum: 0,
    maximum: 100_000_000,
    default: 1_000_000,
    description:
      'Ids remembered per partition: an event sent again within them counts once. 25 bytes of memory each.',
  }),
  PLUMBLINE_DATA_DIR: Type.String({
    default: './data',
    description: 'Folder of the embedded stores, the spool and the secret.',
  }),
  PLUMBLINE_MIN_FREE_BYTES: Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 256 << 20,
    description:
      'Bytes that the data folder and the spool must have free: with fewer the process is not ready, and without Kafka refuses events. 0 asks nothing.',
  }),
  PLUMBLINE_CLICKHOUSE_URL: Type.Optional(
    Type.String({
      pattern: '^https?://',
      description: 'HTTP interface of ClickHouse. Unset: embedded.',
    }),
  ),
  PLUMBLINE_CLICKHOUSE_CA_FILE: Type.Optional(
    Type.String({
      description:
        'File (PEM) of the authorities that may sign the certificate of PLUMBLINE_CLICKHOUSE_URL. Unset: those of Node.',
    }),
  ),
  PLUMBLINE_CLICKHOUSE_DATABASE: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$',
      description: 'Database of our tables on that server; it must exist. Unset: default.',
    }),
  ),
  PLUMBLINE_CLICKHOUSE_CLUSTER: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$',
      description:
        'Cluster of that server (a name in its system.clusters): tables are replicated, spread by model, and read under the same names. Unset: one server.',
    }),
  ),
  PLUMBLINE_CLICKHOUSE_HTTP_PORT: Type.Integer({
    minimum: -1,
    maximum: 65535,
    default: 8123,
    description:
      'Port of the embedded engine’s own HTTP interface; 0 turns it off, -1 takes a free one.',
  }),
  PLUMBLINE_CLICKHOUSE_HTTP_HOST: Type.String({
    default: '127.0.0.1',
    description:
      'Address that this interface listens on. Its password, or a key that may read, is asked for on every address; what is sent is not encrypted.',
  }),
  PLUMBLINE_CLICKHOUSE_USER: Type.String({
    default: 'plumbline',
    description: 'User of ClickHouse who may write.',
  }),
  PLUMBLINE_CLICKHOUSE_PASSWORD: Type.Optional(
    Type.String({
      description:
        'Password of PLUMBLINE_CLICKHOUSE_USER. Unset with the embedded engine: a secret made in the data folder.',
    }),
  ),
  PLUMBLINE_POSTGRES_URL: Type.Optional(
    Type.String({
      pattern: '^postgres(ql)?://',
      description:
        'PostgreSQL for control state, with user, password and database; over TLS with ?sslmode=verify-full&sslrootcert=FILE. Unset: embedded PGlite.',
    }),
  ),
  PLUMBLINE_POSTGRES_PORT: Type.Integer({
    minimum: 0,
    maximum: 65535,
    default: 5433,
    description: 'Port on which --target=stores serves the embedded PGlite.',
  }),
  PLUMBLINE_SPOOL_DIR: Type.Optional(
    Type.String({
      description: 'Folder of batches on their way to ClickHouse. Unset: in the data folder.',
    }),
  ),
  PLUMBLINE_DURABLE: Type.Enum(['process', 'fsync'], {
    default: 'process',
    description:
      'What accepted events and control state survive: a killed process, or power loss too (embedded stores; a server syncs by its own settings).',
  }),
  PLUMBLINE_MODELS_DIR: Type.String({
    default: './models',
    description: 'Folder of the model files.',
  }),
  PLUMBLINE_MODELS_POLL_SECONDS: Type.Integer({
    minimum: 0,
    maximum: 86_400,
    default: 5,
    description:
      'How often it is looked whether model and source files have changed; 0: they are read at a start and by SIGHUP only.',
  }),
  PLUMBLINE_PRICES_FILE: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Price file of language models (docs/language-models.md): what an answer costs where its event does not say.',
    }),
  ),
  PLUMBLINE_SOURCES_DIR: Type.String({
    default: './sources',
    description: 'Folder of the source files: topics and files of your own.',
  }),
  PLUMBLINE_PRIVACY_KEY_FILE: Type.Optional(
    Type.String({
      description:
        'File with the key of the hashes that model files ask for (privacy.hash), 32 bytes or more; the same for every process. Another key makes other hashes: labels then no longer meet older predictions. Unset: no model may hash.',
    }),
  ),
  PLUMBLINE_AUTH_FILE: Type.Optional(
    Type.String({
      description:
        'API keys. Unset, and without PLUMBLINE_OIDC_ISSUER: open, and refused on any host but loopback.',
    }),
  ),
  PLUMBLINE_OIDC_ISSUER: Type.Optional(
    Type.String({
      // Addresses are logged: they hold no credentials.
      pattern: '^https?://[^/@]+(/.*)?$',
      description:
        'Issuer (OpenID Connect) whose JWTs callers may send as bearer, as its tokens write it. Unset: none.',
    }),
  ),
  PLUMBLINE_OIDC_AUDIENCE: Type.Optional(
    Type.String({ description: 'What those tokens must be meant for (aud).' }),
  ),
  PLUMBLINE_OIDC_CLIENT_ID: Type.Optional(
    Type.String({
      description:
        'Client at the issuer by which people sign in on the pages, with /callback of this address as its redirect URI. Unset: they cannot.',
    }),
  ),
  PLUMBLINE_OIDC_CLIENT_SECRET: Type.Optional(
    Type.String({ description: 'Secret of that client. Unset, and no file: a public client.' }),
  ),
  PLUMBLINE_OIDC_CLIENT_SECRET_FILE: Type.Optional(
    Type.String({ description: 'File of that secret.' }),
  ),
  PLUMBLINE_OIDC_SCOPE: Type.String({
    default: 'openid',
    pattern: '^(.* )?openid( .*)?$',
    description: 'Scopes that are asked for when people sign in, openid among them.',
  }),
  PLUMBLINE_OIDC_NAME_CLAIM: Type.String({
    default: 'sub',
    description:
      'Claim that names the caller, as actor and reviewer; one that people cannot choose themselves. email counts only with email_verified.',
  }),
  PLUMBLINE_OIDC_ROLES_CLAIM: Type.String({
    default: 'roles',
    description:
      'Claim with the caller’s roles (emitter, reviewer, analyst, operator, approver, admin): a list, or words; realm_access.roles goes into an object.',
  }),
  PLUMBLINE_OIDC_ROLE_PREFIX: Type.String({
    default: '',
    description: 'What stands before a role’s name in that claim, such as plumbline-.',
  }),
  PLUMBLINE_OIDC_TEAMS_CLAIM: Type.Optional(
    Type.String({
      description:
        'Claim with the caller’s teams: a list, or words, * for all. Roles that name no models are then for models of these teams (team of the model file) alone. Unset: for all models.',
    }),
  ),
  PLUMBLINE_OIDC_TEAM_PREFIX: Type.String({
    default: '',
    description: 'What stands before a team’s name in that claim.',
  }),
  PLUMBLINE_LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'], {
    default: 'info',
    description: 'Least log level that is written.',
  }),
})
/** The environment that every service has in common, as read and checked. */
export type PlatformConfig = Static<typeof PlatformConfig>
