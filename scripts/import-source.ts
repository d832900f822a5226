/** `npm run import -- --source fraud --files 'x/*.parquet'`. */
import { appendFileSync, globSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import type { FileOrigin } from '../lib/clickhouse/file-rows.ts'
import { lockFile } from '../lib/disk/lock-file.ts'
import { createValidator } from '../lib/events/validator.ts'
import { ConfigError } from '../lib/runtime/config.ts'
import { messageOf } from '../lib/runtime/errors.ts'
import { didYouMean } from '../lib/runtime/nearest-name.ts'
import { modifiedMsOf, nameOf } from '../lib/sources/import/file-origin.ts'
import { importFile, noCounts, type ImportCounts } from '../lib/sources/import/import-file.ts'
import { filePositions } from '../lib/sources/import/positions.ts'
import { fileMessages } from '../lib/sources/import/rows.ts'
import { jsonWriter } from '../lib/sources/import/event-json.ts'
import { S3_SCHEME } from '../lib/sources/import/s3-access.ts'
import { s3Files } from '../lib/sources/import/s3-files.ts'
import { ImportEnded, sender } from '../lib/sources/import/send.ts'
import { compileSource, EVENT_SCHEMAS } from '../lib/sources/mapping.ts'
import { readSources, type Source } from '../lib/sources/source-files.ts'

const USAGE = `npm run import -- --source <name> [--files <pattern>]… [options]

  --source    name of a source file in PLUMBLINE_SOURCES_DIR (./sources), or --sources <folder>
  --files     files, * and ** allowed, s3://bucket/folder/*.parquet too; the source file's own where
              there is none
  --url       http://127.0.0.1:8080
  --key       an API key with the role emitter
  --state     file that keeps how far each file was imported (./data/imports/<name>.json)
  --refused   file that what is refused is written to, a line each (<state>.refused.ndjson)
  --dry-run   maps the first messages and shows what they become; sends nothing
  --again     imports files that were imported before`

/** Refusals that are printed one by one, and reasons that are counted. */
const MAX_PRINTED = 10
const MAX_REASONS = 100
const PROGRESS_MS = 2000
const DRY_MESSAGES = 1000
const DRY_EVENTS = 3

/**
 * Imports the files of a source as its arguments say, tells how it goes on standard error and how it
 * ended on standard output.
 *
 * @returns the exit code: 0 where everything was taken, 1 where something was refused or the import
 *   ended early, 2 where the arguments are wrong
 */
export async function importSource(args: readonly string[]): Promise<number> {
  try {
    const options = told(args)
    const source = sourceNamed(options.source, options.sources)
    const files = await filesOf(options.files, source)
    return options['dry-run'] ? await dryRun(source, files[0]!) : await run(source, files, options)
  } catch (error) {
    if (!(error instanceof WrongArguments || error instanceof ConfigError)) throw error
    console.error(error.message)
    return 2
  }
}

class WrongArguments extends Error {}

type Options = ReturnType<typeof told>

function told(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        source: { type: 'string', default: '' },
        sources: { type: 'string', default: process.env['PLUMBLINE_SOURCES_DIR'] || './sources' },
        files: { type: 'string', multiple: true, default: [] },
        url: { type: 'string', default: 'http://127.0.0.1:8080' },
        key: { type: 'string', default: '' },
        state: { type: 'string' },
        refused: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        again: { type: 'boolean', default: false },
      },
    })
    return { ...values, files: [...values.files, ...positionals] }
  } catch (error) {
    throw new WrongArguments(`${messageOf(error)}\n${USAGE}`)
  }
}

function sourceNamed(name: string, folder: string): Source {
  const sources = readSources(folder)
  const source = sources.find((one) => one.name === name)
  if (source) return source
  const names = sources.map((one) => one.name)
  throw new WrongArguments(
    `${folder} has no source ${name}${didYouMean(name, names) || (names.length > 0 ? `: there are ${names.join(', ')}` : '')}`,
  )
}

async function filesOf(given: readonly string[], source: Source): Promise<FileOrigin[]> {
  const { name, file } = source
  if (file.format === 'avro' || file.format === 'protobuf')
    throw new WrongArguments(`source ${name} is in ${file.format}, which is of Kafka alone`)
  const patterns = given.length > 0 ? given : file.files === undefined ? [] : [file.files]
  if (patterns.length === 0) throw new WrongArguments(`--files says which\n${USAGE}`)
  const files: FileOrigin[] = []
  for (const pattern of patterns) {
    const found = pattern.startsWith(S3_SCHEME) ? await onS3(pattern, source) : onDisk(pattern)
    if (found.length === 0) throw new WrongArguments(`no file is called ${pattern}`)
    for (const one of found) files.push(one)
  }
  return [...new Map(files.map((one) => [nameOf(one), one])).values()]
}

function onDisk(pattern: string): string[] {
  // A file may be called as a pattern is.
  const isFile = statSync(pattern, { throwIfNoEntry: false })?.isFile() ?? false
  return isFile
    ? [pattern]
    : globSync(pattern)
        .filter((path) => statSync(path).isFile())
        .toSorted()
}

async function onS3(pattern: string, { file }: Source): Promise<FileOrigin[]> {
  try {
    return await s3Files(pattern, file, (name) => process.env[name])
  } catch (error) {
    if (error instanceof ConfigError) throw new WrongArguments(error.problems.join('\n'))
    throw new WrongArguments(`${pattern} cannot be listed: ${messageOf(error)}`)
  }
}

/** Shows what the first messages become. */
async function dryRun(source: Source, from: FileOrigin): Promise<number> {
  const file = nameOf(from)
  const { map } = compileSource(source.file)
  const counts = new Map<string, number>()
  const shown: string[] = []
  let row = 0
  let refused = 0
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1)
  try {
    for await (const messages of fileMessages(from, source, 0)) {
      for (const { decoded, bytes } of messages.slice(0, DRY_MESSAGES - row)) {
        row++
        if ('code' in decoded) {
          refused++
          count(`refused: ${decoded.text}`)
          continue
        }
        const meta = { file, row, modified: modifiedMsOf(from) }
        const { results, filtered } = map({ body: decoded.value, meta, bytes })
        if (filtered !== undefined) count(`left out: ${filtered}`)
        for (const result of results) {
          const verdict =
            'event' in result
              ? createValidator(EVENT_SCHEMAS[result.type]).numbersOrNone(result.event)
              : undefined
          const why =
            'fault' in result
              ? result.fault
              : verdict?.ok === false
                ? verdict.rejection.message
                : ''
          if (why !== '') {
            refused++
            count(`refused: ${why}`)
          } else count(result.type)
          if ('event' in result && shown.length < DRY_EVENTS)
            shown.push(`${result.type} ${jsonWriter()(result.event)}`)
        }
      }
      if (row >= DRY_MESSAGES) break
    }
  } catch (error) {
    console.error(`${file}: ${messageOf(error)}`)
    return 1
  }
  for (const one of shown) console.log(one)
  console.log(`the first ${row} messages of ${file}:`)
  for (const [what, times] of counts) console.log(`  ${times} ${what}`)
  return refused > 0 ? 1 : 0
}

async function run(
  source: Source,
  files: readonly FileOrigin[],
  options: Options,
): Promise<number> {
  const state = options.state ?? `./data/imports/${source.name}.json`
  mkdirSync(dirname(state), { recursive: true })
  const unlock = lockFile(
    `${state}.lock`,
    (pid) => `another import (process ${pid}) holds ${state}: wait for it, or name another --state`,
  )
  try {
    if (options.again) rmSync(state, { force: true })
    return await importAll(source, files, { ...options, state })
  } finally {
    unlock()
  }
}

async function importAll(
  source: Source,
  files: readonly FileOrigin[],
  options: Options & { state: string },
): Promise<number> {
  const counts = noCounts()
  const refusals = refusalsOf(options.refused ?? `${options.state}.refused.ndjson`)
  const progress = progressOf(counts)
  let ended: string | undefined
  let before = 0
  try {
    const positions = filePositions(options.state)
    const send = sender({ url: options.url, key: options.key })
    for (const [i, file] of files.entries()) {
      const told = `file ${i + 1} of ${files.length}, ${nameOf(file)}`
      const wasNew = await importFile(file, {
        source,
        send,
        positions,
        counts,
        refuse: refusals.add,
        progressed: () => progress.tell(told),
      })
      if (!wasNew) before++
    }
  } catch (error) {
    if (!(error instanceof ImportEnded)) throw error
    ended = error.message
  }
  refusals.end()
  tell(counts, { before, seconds: progress.seconds() })
  if (ended !== undefined) console.error(`${ended}; the same command goes on from here`)
  return ended !== undefined || counts.refused > 0 ? 1 : 0
}

function tell(
  counts: ImportCounts,
  { before, seconds }: { before: number; seconds: number },
): void {
  const taken = [...counts.accepted].map(([type, n]) => `${n} ${type} events`)
  const rate = Math.round(counts.rows / Math.max(seconds, 0.001))
  console.log(
    `${counts.rows} messages read in ${seconds.toFixed(1)} s (${rate} a second): ${taken.join(', ') || 'no events'} taken, ${counts.refused} refused`,
  )
  for (const [why, messages] of counts.filtered)
    console.log(`  ${messages} messages left out: ${why}`)
  if (before > 0) console.log(`  ${before} files were imported before`)
}

/** What is told while an import goes on, at most every other second. */
function progressOf(counts: ImportCounts) {
  const begun = performance.now()
  const seconds = () => (performance.now() - begun) / 1000
  let last = begun
  const tell = (where: string) => {
    if (performance.now() - last < PROGRESS_MS) return
    last = performance.now()
    console.error(
      `${where}: ${counts.rows} messages, ${Math.round(counts.rows / seconds())} a second, ${counts.refused} refused`,
    )
  }
  return { tell, seconds }
}

/** Writes refusals down, prints the first of them, and counts all by reason. */
function refusalsOf(path: string) {
  const reasons = new Map<string, number>()
  let printed = 0
  return {
    add: ({ file, row }: { file: string; row: number }, reason: string) => {
      appendFileSync(path, `${JSON.stringify({ file, row, reason })}\n`)
      if (printed++ < MAX_PRINTED) console.error(`${file}:${row}: ${reason}`)
      const known = reasons.get(reason)
      if (known !== undefined || reasons.size < MAX_REASONS) reasons.set(reason, (known ?? 0) + 1)
    },
    end: () => {
      if (printed === 0) return
      const most = [...reasons].toSorted((a, b) => b[1] - a[1]).slice(0, MAX_PRINTED)
      for (const [reason, times] of most) console.error(`refused ${times} times: ${reason}`)
      console.error(`all that was refused is in ${path}`)
    },
  }
}
