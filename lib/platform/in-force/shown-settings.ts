/**
 * Which settings may be shown to those who operate a process. Pure. Whatever is not named here is
 * not shown: a setting that comes later is hidden until somebody decides about it.
 */

/** Settings whose text is never a secret. */
const SHOWN: ReadonlySet<string> = new Set(
  `HTTP_HOST ALLOWED_HOSTS TRUSTED_PROXIES TLS_CERT_FILE TLS_KEY_FILE DATA_DIR SPOOL_DIR
  MODELS_DIR PRICES_FILE AUTH_FILE PRIVACY_KEY_FILE SOURCES_DIR OIDC_TEAMS_CLAIM OIDC_TEAM_PREFIX
  CLICKHOUSE_HTTP_HOST DURABLE LOG_LEVEL CLICKHOUSE_CA_FILE CLICKHOUSE_DATABASE
  CLICKHOUSE_CLUSTER KAFKA_BROKERS KAFKA_TOPIC_PREFIX KAFKA_GROUP_PREFIX KAFKA_TLS
  KAFKA_CA_FILE KAFKA_CERT_FILE KAFKA_KEY_FILE KAFKA_SASL_MECHANISM KAFKA_SASL_PASSWORD_FILE
  KAFKA_OAUTH_CLIENT_SECRET_FILE KAFKA_OAUTH_SCOPE KAFKA_AWS_REGION SCHEMA_REGISTRY_CA_FILE
  SCHEMA_REGISTRY_CERT_FILE SCHEMA_REGISTRY_KEY_FILE OIDC_AUDIENCE OIDC_CLIENT_ID
  OIDC_CLIENT_SECRET_FILE OIDC_SCOPE OIDC_NAME_CLAIM OIDC_ROLES_CLAIM OIDC_ROLE_PREFIX
  RETENTION_ATTRIBUTES RETENTION_DEAD_LETTERS RETENTION_LABELS RETENTION_PREDICTIONS
  MLSERVER_TOPICS TRUSTYAI_GAUGES ALLOW_COMMANDS LAUNCH_ADDRESSES ALERTS_FILE
  APPROVAL_LINK_KEYS_FILE FEEDBACK_KEY_FILE FEEDBACK_ORIGINS`
    .split(/\s+/)
    .map((name) => `PLUMBLINE_${name}`),
)

/** Addresses, shown without the user, password and query that they may hold. */
const ADDRESSES: ReadonlySet<string> = new Set(
  `CLICKHOUSE_URL POSTGRES_URL SCHEMA_REGISTRY_URL OIDC_ISSUER KAFKA_OAUTH_TOKEN_URL ALERTMANAGER_URL PUBLIC_URL`
    .split(' ')
    .map((name) => `PLUMBLINE_${name}`),
)

/**
 * The settings of a process by name, those that are unset left out.
 *
 * @returns the value where it may be shown; numbers always are, and null stands for all others
 */
export const shownSettings = (
  settings: Readonly<Record<string, unknown>>,
): { name: string; value: string | number | null }[] =>
  Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ name, value: shownValue(name, value) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))

function shownValue(name: string, value: unknown): string | number | null {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return null
  if (SHOWN.has(name)) return value
  return ADDRESSES.has(name) ? withoutCredentials(value) : null
}

function withoutCredentials(address: string): string | null {
  if (!URL.canParse(address)) return null
  const { protocol, host, pathname } = new URL(address)
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
}
