/**
 * The image, built here and run as an orchestrator runs it: no root user, nothing writable but its
 * volume and /tmp.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../servers/processes.ts'

const TAG = 'localhost/plumbline-test'
const STORE = join(ROOT, '.local', 'image')
const buildah = (...args: string[]) =>
  execFileSync(
    'buildah',
    [
      ...['--root', join(STORE, 'storage'), '--runroot', join(STORE, 'run')],
      ...['--storage-driver', 'overlay', ...args],
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  ).trim()

interface ImageConfig {
  User: string
  Entrypoint: string[]
  Cmd: string[]
  Env: string[]
  WorkingDir: string
  Healthcheck: { Test: string[] }
}

const key = randomBytes(32).toString('base64url')
const folder = mkdtempSync(join(tmpdir(), 'plumbline-image-'))
const [uid, gid] = [10001, 10001]
let image: ImageConfig
let container = ''
let rootfs = ''

beforeAll(() => {
  execFileSync(join(ROOT, 'deploy/image/build-local.sh'), [TAG], { stdio: 'inherit' })
  const inspected = JSON.parse(buildah('inspect', '--type', 'image', TAG)) as {
    Docker: { config: ImageConfig }
  }
  image = inspected.Docker.config
  container = buildah('from', TAG)
  rootfs = buildah('mount', container)
  for (const name of ['data', 'models', 'secrets']) mkdirSync(join(folder, name))
  chownSync(join(folder, 'data'), uid, gid)
  const sha256 = createHash('sha256').update(key).digest('hex')
  const keys = { keys: [{ id: 'tester', sha256, scopes: ['emit', 'read'] }] }
  writeFileSync(join(folder, 'secrets', 'keys.json'), JSON.stringify(keys), { mode: 0o444 })
})

afterAll(() => {
  for (const { id, child } of running) {
    spawnSync('runc', [...RUNC, 'delete', '--force', id])
    child.kill('SIGKILL')
  }
  if (container) buildah('rm', container)
  rmSync(folder, { recursive: true, force: true })
})

const RUNC = ['--root', join(folder, 'runc')]

interface Container {
  id: string
  child: ChildProcess
  log: () => string
}
const running: Container[] = []

/** Starts the image with these arguments in place of its own, as Kubernetes' `args` do. */
function run(id: string, args: readonly string[], env: Record<string, string> = {}): Container {
  const bundle = join(folder, id)
  mkdirSync(bundle)
  execFileSync('runc', ['spec'], { cwd: bundle })
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(bundleConfig(args, env)))
  const child = spawn('runc', [...RUNC, 'run', '--bundle', bundle, id], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const one = { id, child, log: () => output }
  running.push(one)
  return one
}

/**
 * The runtime's own words for: this user, no capability, no writable root, a network of its own.
 */
function bundleConfig(args: readonly string[], env: Record<string, string>) {
  const mount = (destination: string, type: string, source: string, options: string[]) => ({
    destination,
    type,
    source,
    options: ['nosuid', 'nodev', ...options],
  })
  const bind = (name: string, mode: string) =>
    mount(`/${name}`, 'bind', join(folder, name), ['rbind', mode])
  return {
    ociVersion: '1.0.0',
    root: { path: rootfs, readonly: true },
    process: {
      terminal: false,
      user: { uid, gid },
      args: [...image.Entrypoint, ...args],
      env: [...image.Env, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
      cwd: image.WorkingDir,
      capabilities: { bounding: [], effective: [], permitted: [], ambient: [], inheritable: [] },
      noNewPrivileges: true,
    },
    mounts: [
      mount('/proc', 'proc', 'proc', ['noexec']),
      { ...mount('/dev', 'tmpfs', 'tmpfs', ['mode=755']), options: ['nosuid', 'mode=755'] },
      mount('/dev/shm', 'tmpfs', 'shm', ['mode=1777', 'size=64m']),
      mount('/tmp', 'tmpfs', 'tmpfs', ['mode=1777']),
      bind('data', 'rw'),
      bind('models', 'ro'),
      bind('secrets', 'ro'),
    ],
    linux: {
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
    },
  }
}

const inside = ({ id }: Container, ...command: string[]) =>
  spawnSync('runc', [...RUNC, 'exec', id, ...command], { encoding: 'utf8' })

/** Asks from within the container's network, which has a loopback of its own and nothing else. */
function ask({ id }: Container, url: string, ...options: string[]): string {
  const state = execFileSync('runc', [...RUNC, 'state', id], { encoding: 'utf8' })
  const { pid } = JSON.parse(state) as { pid: number }
  return execFileSync(
    'nsenter',
    [
      ...[`--net=/proc/${pid}/ns/net`, 'curl', '--silent', '--show-error', '--max-time', '20'],
      ...['--header', `Authorization: Bearer ${key}`, ...options, url],
    ],
    { encoding: 'utf8' },
  )
}

const exitCode = ({ child }: Container) =>
  new Promise<number | null>((resolve) =>
    child.exitCode === null ? child.once('exit', resolve) : resolve(child.exitCode),
  )

test('the image says who runs it, what it runs and how its health is asked', () => {
  expect(image.User).toBe(`${uid}:${gid}`)
  expect(image.Cmd).toEqual(['--target=all'])
  expect(image.Healthcheck.Test).toEqual(['CMD', 'node', 'deploy/image/healthy.mjs'])
})

test('what is in it is listed: packages of npm and of Debian', () => {
  const sbom = execFileSync('cat', [join(rootfs, 'app/sbom.cdx.json')], { encoding: 'utf8' })
  const { bomFormat, components } = JSON.parse(sbom) as {
    bomFormat: string
    components: { name: string; version: string }[]
  }
  expect(bomFormat).toBe('CycloneDX')
  const names = components.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['chdb', 'kafkajs', 'fastify']))
  expect(names).not.toContain('vitest')
  expect(execFileSync('cat', [join(rootfs, 'app/sbom.debian.txt')], { encoding: 'utf8' })).toMatch(
    /^libc6 /m,
  )
})

test('without keys it does not start on the addresses of the network, and says why', async () => {
  const one = run('plumbline-test-open', ['--target=all'])
  expect(await exitCode(one)).toBe(1)
  expect(one.log()).toContain(
    'PLUMBLINE_HTTP_HOST 0.0.0.0 is not loopback: set PLUMBLINE_AUTH_FILE',
  )
})

test('it starts without root on a root that is not writable, stores an event, and stops when told', async () => {
  const env = { PLUMBLINE_AUTH_FILE: '/secrets/keys.json' }
  const one = run('plumbline-test-all', ['--target=all'], env)
  await expect
    .poll(() => inside(one, ...image.Healthcheck.Test.slice(1)).status, {
      timeout: 120_000,
      message: one.log(),
    })
    .toBe(0)
  expect(inside(one, 'id', '-u').stdout.trim()).toBe(String(uid))
  expect(inside(one, 'touch', '/app/here').stderr).toMatch(/Read-only file system/)

  const event = {
    prediction_id: 'p-1',
    model_id: 'fraud',
    model_version: '7',
    predicted_at: '2026-01-31T12:00:00Z',
    prediction: '1',
    features: { amount: 12.5 },
  }
  const sent = ask(
    one,
    'http://127.0.0.1:8080/v1/predictions',
    ...['--header', 'Content-Type: application/json', '--data', JSON.stringify(event)],
  )
  expect(JSON.parse(sent)).toMatchObject({ accepted: 1 })
  const question = encodeURIComponent('SELECT prediction_id, model_version FROM predictions')
  expect(ask(one, `http://127.0.0.1:8123/?query=${question}`)).toBe('p-1\t7\n')
  expect(ask(one, 'http://127.0.0.1:8080/metrics')).toContain('plumbline_events_total')

  execFileSync('runc', [...RUNC, 'kill', one.id, 'TERM'])
  expect(await exitCode(one)).toBe(0)
})
