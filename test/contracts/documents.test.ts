/** Documents and comments name files and commands that exist. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, matchesGlob } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../servers/processes.ts'

const FILES = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
const FOLDERS = new Set(FILES.flatMap(foldersOf))

const DOCUMENTS = FILES.filter((path) =>
  /^(README\.md|CONTRIBUTING\.md|docs\/.*\.md|services\/[^/]+\/README\.md)$/.test(path),
)
const SOURCES = FILES.filter((path) => /^(?!.*\.d\.ts$).*\.ts$/.test(path))

/** What stands at the root and can be told from a word: `lib/…`, `docs/…`. */
const TOP = [...FOLDERS].filter((folder) => !folder.includes('/'))
const ROOTED = new RegExp(`^(${TOP.map((name) => name.replace('.', '\\.')).join('|')})/`)
/** A name without a folder: of code or of a document; data files belong to others, too. */
const FILE_NAME = /^[\w.*/-]+\.(ts|mts|mjs|cjs|js|py|sql|md|html|css)$/
const SCRIPTS = new Set(
  Object.keys(
    (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }).scripts,
  ),
)

function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}

/**
 * Whether a path or pattern names a file or folder: from the root, or from `folder` and what is
 * below it.
 */
function exists(name: string, folder: string): boolean {
  const path = name.replace(/\/$/, '')
  const wanted = [path, join(folder, path), ...(folder === '' ? [] : [join(folder, '**', path)])]
  return wanted.some(
    (pattern) =>
      FOLDERS.has(pattern) ||
      FILES.some((file) => file === pattern || matchesGlob(file, pattern)) ||
      [...FOLDERS].some((known) => matchesGlob(known, pattern)),
  )
}

/** Whether a backticked piece of text claims to be a path of this project. */
function isPath(text: string): boolean {
  if (/[<>…\s:(){}$]|NNNN|^\/|^\.\.?\//.test(text)) return false
  return ROOTED.test(text) || FILE_NAME.test(text)
}

const backticked = (text: string) => [...text.matchAll(/`([^`\n]+)`/g)].map((found) => found[1]!)
const linked = (text: string) =>
  [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((found) => found[1]!)
const commands = (text: string) =>
  [...text.matchAll(/npm run ([\w:-]+)/g)].map((found) => found[1]!)

/** Comments of a source, one string; a line of code between two is dropped. */
function comments(source: string): string {
  return [...source.matchAll(/\/\*[\s\S]*?\*\/|\/\/.*/g)].map((found) => found[0]).join('\n')
}

test.each(DOCUMENTS)('%s names paths and commands that exist', (document) => {
  const text = readFileSync(join(ROOT, document), 'utf8')
  const folder = dirname(document) === '.' ? '' : dirname(document)
  // A document of a service names its files from the folder of the service.
  const service = folder.startsWith('services/') ? folder : ''
  expect(backticked(text).filter((name) => isPath(name) && !exists(name, service))).toEqual([])
  expect(linked(text).filter((name) => !exists(join(folder, name), ''))).toEqual([])
  expect(commands(text).filter((name) => !SCRIPTS.has(name))).toEqual([])
})

test('comments of sources name paths and commands that exist', () => {
  const unknown = SOURCES.flatMap((path) => {
    const text = comments(readFileSync(join(ROOT, path), 'utf8'))
    return [
      ...backticked(text).filter((name) => isPath(name) && !exists(name, dirname(path))),
      ...commands(text).filter((name) => !SCRIPTS.has(name)),
    ].map((name) => `${path}: ${name}`)
  })
  expect(unknown).toEqual([])
})

test('a path or a command that is not there is found', () => {
  expect(isPath('lib/nowhere.ts') && exists('lib/nowhere.ts', '')).toBe(false)
  expect(isPath('no-such.ts') && exists('no-such.ts', 'services/drift')).toBe(false)
  expect(exists('due-windows.ts', 'services/drift')).toBe(true)
  expect(exists('due-windows.ts', 'services/ingest')).toBe(false)
  expect(isPath('services/*/nowhere.ts') && exists('services/*/nowhere.ts', '')).toBe(false)
  expect(commands('Try `npm run nothing`.').filter((name) => !SCRIPTS.has(name))).toEqual([
    'nothing',
  ])
  expect(isPath('model_id')).toBe(false)
})

test('every metric of the services is explained in docs/metrics.md', () => {
  const names = SOURCES.filter((path) => /^(lib|services)\/(?!.*\.test\.ts$)/.test(path)).flatMap(
    (path) =>
      [
        ...readFileSync(join(ROOT, path), 'utf8').matchAll(/name: '(plumbline_\w+)',\s+help: /g),
      ].map(([, name]) => name!),
  )
  expect(names.length).toBeGreaterThan(20)
  const explained = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8')
  expect(names.filter((name) => !explained.includes(`\`${name}`))).toEqual([])
})
