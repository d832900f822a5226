/** What `main.ts` answers on the command line, and what it logs when it has started. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { TARGETS } from '../../targets.ts'
import { temporaryDirectory } from '../harness.ts'
import { ROOT, startTarget, type Running } from '../servers/processes.ts'

const directory = temporaryDirectory()
const models = join(directory, 'models')
mkdirSync(models)
let running: Running | undefined
afterAll(async () => {
  await running?.stop('SIGKILL')
})

const main = (args: readonly string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, ['main.ts', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', PLUMBLINE_MODELS_DIR: models, ...env },
  })
const checked = (env: Record<string, string>) => main(['--check-config'], env)

test('--help names every target and argument, and where settings are described', () => {
  const { status, stdout } = main(['--help'])
  expect(status).toBe(0)
  for (const target of TARGETS) expect(stdout).toContain(`--target=${target}`)
  for (const part of ['--check-config', '--migrate', 'docs/configuration.md', 'docs/operations.md'])
    expect(stdout).toContain(part)
})

test('an argument that there is not ends in a sentence that names it', () => {
  const { status, stderr } = main(['--targt=all'])
  expect(status).toBe(1)
  expect(stderr).toBe(
    "invalid configuration:\n  - Unknown option '--targt'; --help lists what there is\n",
  )
  expect(main(['--target=every']).stderr).toContain('--target=every is not one of all, ingest')
})

test('valid settings pass, and variables of Kubernetes and of other programs of ours are left alone', () => {
  const { status, stdout } = checked({
    PLUMBLINE_URL: 'http://127.0.0.1:8080',
    PLUMBLINE_INGEST_SERVICE_HOST: '10.0.0.1',
    PLUMBLINE_INGEST_SERVICE_PORT_HTTP: '80',
    PLUMBLINE_INGEST_PORT: 'tcp://10.0.0.1:80',
    PLUMBLINE_INGEST_PORT_80_TCP_ADDR: '10.0.0.1',
  })
  expect(stdout).toBe('settings, key file, model, source and alerts files are valid\n')
  expect(status).toBe(0)
})

test('every fault is told at once: unknown names, the key file, folders, model files', () => {
  writeFileSync(join(directory, 'keys.json'), '{"keys":[{"id":"a","sha256":"short","scopes":[]}]}')
  const { status, stderr } = checked({
    PLUMBLINE_KAFKA_BROKER: 'kafka:9092',
    PLUMBLINE_ICE_CREAM: 'strawberry',
    PLUMBLINE_HTTP_PORT: '70000',
    PLUMBLINE_AUTH_FILE: join(directory, 'keys.json'),
    PLUMBLINE_MODELS_DIR: join(directory, 'nowhere'),
  })
  expect(status).toBe(1)
  for (const problem of [
    'PLUMBLINE_KAFKA_BROKER is no setting; did you mean PLUMBLINE_KAFKA_BROKERS?',
    'PLUMBLINE_ICE_CREAM is no setting; docs/configuration.md lists them',
    'PLUMBLINE_HTTP_PORT must be <= 65535',
    '/keys/0/sha256 must match pattern',
    `PLUMBLINE_MODELS_DIR ${join(directory, 'nowhere')} is no folder`,
  ])
    expect(stderr).toContain(problem)
})

test('a key file that is not there is told, and names in policies that there are not', () => {
  const folder = join(directory, 'policies')
  mkdirSync(folder)
  writeFileSync(
    join(folder, 'm.yaml'),
    `model_id: m
task: binary
slices: [region]
retrain:
  - name: by-slice
    when: 'any(drift.psi, alarm, slice=regoin:north)'
    launch: { kind: webhook, url: 'http://127.0.0.1:9/' }
  - name: by-metric
    when: 'any(performance.acuracy, alarm)'
    launch: { kind: webhook, url: 'http://127.0.0.1:9/' }
`,
  )
  const { stderr } = checked({
    PLUMBLINE_AUTH_FILE: join(directory, 'none.json'),
    PLUMBLINE_MODELS_DIR: folder,
    PLUMBLINE_LAUNCH_ADDRESSES: 'loopback,10.0.0.0/33',
  })
  expect(stderr).toContain('PLUMBLINE_LAUNCH_ADDRESSES: 10.0.0.0/33 is neither loopback')
  expect(stderr).toContain('none.json: ENOENT')
  expect(stderr).toContain(
    'retrain.by-slice.when: slice regoin is none of the model’s slices; did you mean region?',
  )
  expect(stderr).toContain(
    'retrain.by-metric.when: performance has no metric acuracy; did you mean accuracy?',
  )
})

test('a start logs where it listens and whom it calls', async () => {
  running = await startTarget('all', {
    PLUMBLINE_LOG_LEVEL: 'info',
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_MODELS_DIR: models,
  })
  const lines = running
    .log()
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []))
  expect(lines.find(({ msg }) => msg === 'listening')).toMatchObject({
    http: running.url,
    clickhouse: running.clickhouseUrl,
  })
  expect(lines.find(({ msg }) => msg === 'using')).toMatchObject({
    kafka: 'none: the log is in process',
    clickhouse: 'embedded',
    postgres: 'embedded',
    models: 0,
  })
})

test('a wrong environment and wrong model files stop the start, with every problem listed', () => {
  const models = join(directory, 'bad-models')
  mkdirSync(models)
  writeFileSync(join(models, 'a.yaml'), 'model_id: a\ntask: guess\nwindows: { size: 7x }\n')
  const env = {
    PATH: process.env['PATH'] ?? '',
    PLUMBLINE_HTTP_PORT: '99999',
    PLUMBLINE_DURABLE: 'maybe',
    PLUMBLINE_ALLOW_COMMANDS: 'on',
    PLUMBLINE_MODELS_DIR: models,
  }
  const { status, stderr } = spawnSync(
    process.execPath,
    ['main.ts', '--target=all', '--check-config'],
    { cwd: ROOT, env, encoding: 'utf8' },
  )
  expect(status).toBe(1)
  for (const problem of [
    'PLUMBLINE_HTTP_PORT',
    'PLUMBLINE_DURABLE',
    'a.yaml: task',
    'a.yaml: windows.size',
  ])
    expect(stderr).toContain(problem)
  const open = spawnSync(process.execPath, ['main.ts', '--check-config'], {
    cwd: ROOT,
    env: { PATH: env.PATH, PLUMBLINE_HTTP_HOST: '0.0.0.0' },
    encoding: 'utf8',
  })
  expect(open.stderr).toContain('is not loopback: set PLUMBLINE_AUTH_FILE')
})
