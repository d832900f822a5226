/** The checks of the house find what they forbid. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import {
  fullRooms,
  invertedComments,
  undocumented,
  violations,
} from '../../scripts/check-boundaries.ts'
import { temporaryDirectory } from '../harness.ts'
import { ROOT } from '../servers/processes.ts'

const DENIED_TEXTS = {
  'lib/stats/samples/x.ts': 'const now = Date.now()',
  'services/drift/plan/y.ts': 'setTimeout(() => {}, 1)',
  'services/drift/data/z.ts': 'const id = randomUUID()',
  'services/retrain-trigger/decide/x.ts': 'const noise = Math.random()',
  'services/drift/evaluate/window.ts': 'await x()',
  'lib/stats/canary/compare-arms.ts': 'const now = Date.now()',
  'services/drift/publish/rows.ts': 'const id = randomUUID()',
  'services/drift/http/asked-times.ts': 'await x()',
  'lib/utils.ts': '',
  'lib/y.ts': 'process.env.A',
}

test.each(Object.entries(DENIED_TEXTS))('a file may not say: %s: %s', (path, text) => {
  expect(violations([{ path, text: `${text}\n` }])).toHaveLength(1)
})

test('a room is full at twenty files', () => {
  for (const [room, ending] of [
    ['lib/room', 'ts'],
    ['console/parts', 'js'],
    ['bench/tables', 'ts'],
    ['scripts/golden', 'py'],
    ['test/e2e', 'test.ts'],
  ]) {
    const files = Array.from({ length: 21 }, (_, i) => `${room}/${i}.${ending}`)
    expect(fullRooms(files)).toEqual([`${room}: 21 files, more than 20`])
    expect(fullRooms(files.slice(1))).toEqual([])
  }
})

test('an export has a docstring', () => {
  const of = (path: string, text: string) => undocumented([{ path, text }])
  const bare = [
    'export const a = 1',
    'export function b(): void {}',
    'export async function c(): Promise<void> {}',
    'export interface D {}',
    'export type E = 1',
    'export class F {}',
    'export abstract class G {}',
  ]
  for (const text of bare) {
    expect(of('lib/x/y.ts', `import 'z'\n\n${text}\n`)).toHaveLength(1)
    expect(of('schemas/x.ts', `/** What it is. */\n${text}\n`)).toEqual([])
  }
  expect(of('schemas/x.ts', '/** Tells of the file. */\n\nexport const a = 1\n')).toEqual([
    'schemas/x.ts: the export a has no docstring',
  ])
  expect(of('lib/x.ts', '/** Both. */\nexport const A = 1\nexport type A = 1\n')).toEqual([])
})

test('a sentence opens with its subject', () => {
  const of = (text: string) => invertedComments([{ path: 'x.ts', text }])
  const [first, word] = ['Of', 'a thing nothing is said.']
  expect(of(`/** ${first} ${word} */\n`)).toHaveLength(1)
  expect(of(`/**\n * One. ${first}\n * ${word}\n */\n`)).toHaveLength(1)
  expect(of(`const a = 1\n  // One thing.\n  // ${first} ${word}\nconst b = 2\n`)).toHaveLength(1)
  expect(of(`/** One of a thing, the same. */\nconst a = 'Of ${word}'\n`)).toEqual([])
})

const DENIED_IMPORTS = {
  'services/drift/loop/a.ts': '../../ingest/module.ts',
  'services/drift/evaluate/b.ts': '../queries/window.ts',
  'services/drift/data/c.ts': 'node:fs',
  'services/feedback/queries/d.ts': '../http/routes.ts',
  'lib/stats/e.ts': '../runtime/errors.ts',
  'lib/runtime/f.ts': '../platform/platform.ts',
  'lib/sink/g.ts': 'kafkajs',
  'lib/events/k.ts': '../../services/ingest/data/prediction-rows.ts',
  'lib/sql-port/l.ts': 'chdb',
  'services/ingest/h.ts': '@clickhouse/client',
  'services/ingest/loop/i.ts': 'fastify',
  'schemas/j.ts': '../lib/runtime/errors.ts',
  'console/parts/m.js': '../model/model.js',
  'console/keys/n.js': '../runs/runs.js',
}

test('a room may not import what is not its own', () => {
  const folder = temporaryDirectory()
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  for (const [path, target] of Object.entries(DENIED_IMPORTS)) {
    const isScript = path.endsWith('.js')
    if (isScript) write(path, `import { X } from '${target}'\nexport const Y = X\n`)
    else write(path, `import type { X } from '${target}'\nexport type Y = X\n`)
    const x = isScript ? 'export const X = 1\n' : 'export type X = 1\n'
    if (target.startsWith('.')) write(join(dirname(path), target), x)
    else if (!target.startsWith('node:')) {
      write(`node_modules/${target}/package.json`, '{ "main": "index.js" }')
      write(`node_modules/${target}/index.js`, '')
    }
  }
  for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json'])
    cpSync(join(ROOT, file), join(folder, file))
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
      ...[
        '--config',
        '.dependency-cruiser.cjs',
        '--output-type',
        'err',
        'lib',
        'services',
        'schemas',
        'console',
      ],
    ],
    { cwd: folder, encoding: 'utf8' },
  )
  expect(status).not.toBe(0)
  const found = Object.keys(DENIED_IMPORTS).filter((path) => stdout.includes(`: ${path} `))
  expect(found).toEqual(Object.keys(DENIED_IMPORTS))
})
