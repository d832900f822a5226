import { expect, test } from 'vitest'
import { Config } from '../../targets.ts'
import { shownSettings } from '../../lib/platform/in-force/shown-settings.ts'

const SECRET = 'hunter2'
/** What is hidden of all settings that take a text, decided here and not by the list. */
const HIDDEN = [
  'PLUMBLINE_APPROVAL_LINK_KEYS',
  'PLUMBLINE_CLICKHOUSE_PASSWORD',
  'PLUMBLINE_CLICKHOUSE_USER',
  'PLUMBLINE_KAFKA_OAUTH_CLIENT_ID',
  'PLUMBLINE_KAFKA_OAUTH_CLIENT_SECRET',
  'PLUMBLINE_KAFKA_OAUTH_EXTENSIONS',
  'PLUMBLINE_KAFKA_SASL_PASSWORD',
  'PLUMBLINE_KAFKA_SASL_USERNAME',
  'PLUMBLINE_OIDC_CLIENT_SECRET',
  'PLUMBLINE_SCHEMA_REGISTRY_PASSWORD',
  'PLUMBLINE_SCHEMA_REGISTRY_USER',
  'PLUMBLINE_WEBHOOK_SECRET',
]

test('every setting is shown or hidden as decided', () => {
  const all = Object.fromEntries(Object.keys(Config.properties).map((name) => [name, 'https://h']))
  const hidden = shownSettings(all).filter(({ value }) => value === null)
  expect(
    hidden
      .map(({ name }) => name)
      .filter((name) => !('minimum' in Config.properties[name as keyof typeof Config.properties])),
  ).toEqual(HIDDEN)
})

test('addresses lose what they may hold besides, and unknown settings are hidden', () => {
  expect(
    shownSettings({
      PLUMBLINE_POSTGRES_URL: `postgres://ann:${SECRET}@db:5432/plumbline?password=${SECRET}`,
      PLUMBLINE_CLICKHOUSE_URL: SECRET,
      PLUMBLINE_HTTP_PORT: 8080,
      PLUMBLINE_OF_TOMORROW: SECRET,
      PLUMBLINE_SPOOL_DIR: undefined,
    }),
  ).toEqual([
    { name: 'PLUMBLINE_CLICKHOUSE_URL', value: null },
    { name: 'PLUMBLINE_HTTP_PORT', value: 8080 },
    { name: 'PLUMBLINE_OF_TOMORROW', value: null },
    { name: 'PLUMBLINE_POSTGRES_URL', value: 'postgres://db:5432/plumbline' },
  ])
})
