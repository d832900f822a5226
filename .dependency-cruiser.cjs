/**
 * Which room may import which. Imports of types count.
 *
 * Rooms of a service are floors: each imports those below it, and never one above.
 */
const PRODUCTION = '^(main|targets|lib/.*|services/.*|schemas/.*)\\.ts$'
const TEST = '\\.test\\.ts$'

const only = (name, modules, paths, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: PRODUCTION, pathNot: [TEST, ...paths] },
  to: { path: modules },
})

/** Floors from the top down: a floor imports none of those before it. */
const floors = (name, folder, rooms) =>
  rooms.slice(1).map((room, i) => ({
    name: `${name}: ${room.replaceAll('|', ' and ')} import no room above`,
    severity: 'error',
    from: { path: `^${folder}/(${room})/`, pathNot: TEST },
    to: { path: `^${folder}/(${rooms.slice(0, i + 1).join('|')})/` },
  }))

module.exports = {
  forbidden: [
    { name: 'no cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'lib knows no service',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(services/|targets\\.ts|main\\.ts)' },
    },
    {
      name: 'schemas may be imported by all and import none of them',
      severity: 'error',
      from: { path: '^schemas/', pathNot: TEST },
      to: { path: '^(lib|services|main\\.ts|targets\\.ts)' },
    },
    {
      name: 'a service imports no other service',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/([^/]+)/', pathNot: '^services/$1/' },
    },
    {
      name: 'statistics import statistics alone',
      severity: 'error',
      from: { path: '^lib/stats/', pathNot: TEST },
      to: { pathNot: '^(lib/stats|node_modules/simple-statistics)/' },
    },
    ...floors('lib', 'lib', [
      'platform',
      'sql-port',
      'http',
      'sources',
      'sink',
      'postgres',
      'clickhouse',
      'models',
      'events',
      'event-log',
      'disk',
      'runtime',
    ]),
    ...floors('drift', 'services/drift', [
      'http|loop',
      'canary|publish',
      'queries',
      'evaluate',
      'plan|interop|report',
      'data',
    ]),
    ...floors('feedback', 'services/feedback', ['http|loop', 'queries', 'data']),
    ...floors('retrain-trigger', 'services/retrain-trigger', [
      'http|loop',
      'launchers',
      'queries',
      'decide',
    ]),
    ...floors('alerts', 'services/alerts', ['http', 'loop', 'receivers', 'queries', 'decide']),
    ...floors('keep', 'services/keep', ['http', 'loop', 'queries', 'plan', 'data']),
    ...floors('ingest', 'services/ingest', ['http', 'loop', 'wire-formats', 'data']),
    {
      name: 'parts of pages import no page',
      severity: 'error',
      from: { path: '^console/parts/' },
      to: { path: '^console/(?!parts/)' },
    },
    {
      name: 'a page imports no other page',
      severity: 'error',
      from: { path: '^console/([^/]+)/' },
      to: { path: '^console/(?!parts/)', pathNot: '^console/$1/' },
    },
    only('kafkajs in lib/event-log', '^node_modules/kafkajs', ['^lib/event-log/']),
    only('the schema registry’s client in lib/events/avro', '^node_modules/@kafkajs', [
      '^lib/events/avro/',
    ]),
    only('ClickHouse clients in lib/clickhouse', '^node_modules/(@clickhouse|chdb)', [
      '^lib/clickhouse/',
    ]),
    only('nodemailer in services/alerts/receivers', '^node_modules/nodemailer', [
      '^services/alerts/receivers/',
    ]),
    only('fastify in lib/http and http folders', '^node_modules/@?fastify', [
      '^lib/http/',
      '^services/[^/]+/http/',
    ]),
    only('jose and openid-client in lib/http/oidc', '^node_modules/(jose|openid-client)/', [
      '^lib/http/oidc/',
    ]),
    {
      name: 'pure rooms import no I/O',
      severity: 'error',
      from: {
        path: '^(lib/stats|services/[^/]+/(evaluate|plan|data|interop|decide))/',
        pathNot: TEST,
      },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer)$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    includeOnly: '^(main|targets|lib|services|schemas|console|node_modules|[a-z:]+$)',
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.cjs', '.mjs', '.json'] },
  },
}
