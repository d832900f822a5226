// Everything the commands need, installed once: npm packages when the lock file changed, Apache
// Kafka by Maven where Java is present, and for the tests the Debian packages of the real servers
// they use. Plain JavaScript, since it must run on the system's Node (20 or newer) before the
// project's own Node 24 is there.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const wanted = new Set(process.argv.slice(2))

npmPackages()
if (wanted.has('--kafka')) kafka()
if (wanted.has('--registry') || wanted.has('--tests')) registry()
if (wanted.has('--tests')) pythonPackages()
if (wanted.has('--tests'))
  debianPackages(['chromium', 'prometheus', 'prometheus-alertmanager', 'kcat', 'postgresql'])

function npmPackages() {
  once('package-lock.json', join(root, 'node_modules', '.plumbline-installed'), () => {
    console.log('installing npm packages (once per change of the lock file)')
    // Not npm ci: it refuses a lock file that lacks a platform's optional binaries, which a
    // registry may not carry. Nor with the project's own node in the path: the install may replace
    // it.
    const path = (process.env.PATH ?? '')
      .split(':')
      .filter((part) => !part.includes('node_modules'))
      .join(':')
    must('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
      ...process.env,
      PATH: path,
    })
  })
}

function kafka() {
  if (!hasMaven('Kafka')) return
  const libs = join(root, '.local', 'kafka')
  once('deploy/local/pom.xml', join(libs, '.installed'), () => {
    console.log('fetching Apache Kafka (once)')
    mkdirSync(libs, { recursive: true })
    must('mvn', [
      '-q',
      '-B',
      '-f',
      'deploy/local/pom.xml',
      'dependency:copy-dependencies',
      `-DoutputDirectory=${libs}`,
    ])
  })
  once('deploy/local/pom.xml', join(libs, '.classes'), () =>
    must('node', ['deploy/local/run.mjs', 'deploy/local/kafka-classes.ts']),
  )
}

/**
 * Apicurio, the schema registry of the tests and benchmarks: 3.0.9 is the last one that runs on
 * Java 17.
 */
function registry() {
  if (!hasMaven('the schema registry')) return
  const folder = join(root, '.local', 'registry')
  once('deploy/local/setup.mjs', join(folder, '.installed'), () => {
    console.log('fetching the schema registry (once)')
    mkdirSync(folder, { recursive: true })
    const artifact = '-Dartifact=io.apicurio:apicurio-registry-app:3.0.9:tar.gz:all'
    must('mvn', ['-q', '-B', 'dependency:get', '-Dtransitive=false', artifact])
    // In its own folder: without a project the plugin leaves its markers where it runs.
    const unpack = ['-q', '-B', 'dependency:unpack', artifact, `-DoutputDirectory=${folder}`]
    must('mvn', unpack, process.env, 'inherit', folder)
  })
}

/** OpenTelemetry's SDK for Python, which the tests send with, and moto, their double of S3. */
function pythonPackages() {
  pythonPackagesOf('OpenTelemetry', 'deploy/local/otel-requirements.txt', 'python')
  pythonPackagesOf('moto', 'deploy/local/s3-requirements.txt', 'moto')
}

function pythonPackagesOf(what, list, name) {
  const folder = join(root, '.local', name)
  const pip = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check']
  if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0) {
    console.log(`Python 3 with pip is not installed: the tests that need ${what} will fail`)
    return
  }
  once(list, join(folder, '.installed'), () => {
    console.log(`installing ${what} for Python (once per change of its list)`)
    must('python3', [
      ...pip,
      '--root-user-action=ignore',
      '--upgrade',
      '--target',
      folder,
      '-r',
      list,
    ])
  })
}

function hasMaven(what) {
  const tools = [
    { name: 'Java 17 or newer', command: 'java', args: ['-version'] },
    { name: 'Maven', command: 'mvn', args: ['--version'] },
  ]
  const missing = tools.find(({ command, args }) => spawnSync(command, args).status !== 0)
  if (missing)
    console.log(
      `${missing.name} is not installed: ${what} is left out, and the tests that need it will fail`,
    )
  return !missing
}

function debianPackages(packages) {
  const binaries = {
    chromium: 'chromium',
    prometheus: 'promtool',
    'prometheus-alertmanager': 'prometheus-alertmanager',
    kcat: 'kcat',
    postgresql: 'pg_lsclusters',
  }
  const missing = packages.filter((name) => spawnSync('which', [binaries[name]]).status !== 0)
  if (missing.length === 0) return
  if (process.getuid?.() !== 0 || spawnSync('which', ['apt-get']).status !== 0) {
    console.log(
      `not installed, and the tests that need them will fail: ${missing.join(', ')} (Debian: apt-get install ${missing.join(' ')})`,
    )
    return
  }
  console.log(`installing Debian packages: ${missing.join(', ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  must('apt-get', ['update', '-qq'], env, 'ignore')
  must('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], env, 'ignore')
}

function once(source, stamp, install) {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, source)))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return
  install()
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, hash)
}

function must(command, args, env = process.env, stdout = 'inherit', cwd = root) {
  const { status, error } = spawnSync(command, args, {
    cwd,
    env,
    stdio: ['ignore', stdout, 'inherit'],
  })
  if (status === 0) return
  console.error(`set-up failed: ${command} ${args.join(' ')}${error ? `: ${error.message}` : ''}`)
  process.exit(1)
}
