/** Reads and checks the source files of a folder. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { SourceFile } from '../../schemas/source.ts'
import { ConfigError } from '../runtime/config.ts'
import { messageOf } from '../runtime/errors.ts'
import { s3Problems } from './import/s3-access.ts'
import { compileSource } from './mapping.ts'
import { fileProblems } from './problems.ts'
import { protobufProblem } from './protobuf.ts'

/** A source file that was read and holds no problem. */
export interface Source {
  name: string
  file: SourceFile
  /** The text of a `.proto` file, where the format asks for one. */
  proto: string | undefined
  /** Changes when the mapping does: of the file's text and of its `.proto`. */
  revision: string
  /** As it was read: what a range that an earlier mapping began is drained with. */
  text: string
}

/** Bytes of a source file, and of a `.proto` file. */
const MAX_FILE_BYTES = 1 << 20
/** Files of a folder. */
const MAX_FILES = 200

/**
 * Reads every `*.yaml` of the folder; a missing folder holds no sources.
 *
 * @throws {ConfigError} with every problem of every file at once
 */
export function readSources(folder: string): readonly Source[] {
  const files = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => /\.ya?ml$/.test(name))
        .toSorted()
    : []
  const problems: string[] = []
  if (files.length > MAX_FILES)
    problems.push(`${folder} has ${files.length} source files: ${MAX_FILES} are the most`)
  const sources: Source[] = []
  for (const file of files.slice(0, MAX_FILES)) {
    try {
      sources.push(
        parseSource(readText(join(folder, file)), (name) => readText(join(folder, name))),
      )
    } catch (error) {
      const found = error instanceof ConfigError ? error.problems : [messageOf(error)]
      for (const problem of found) problems.push(`${file}: ${problem}`)
    }
  }
  const names = sources.map(({ name }) => name)
  for (const name of new Set(names.filter((one, i) => names.indexOf(one) !== i)))
    problems.push(`two files declare the source ${name}`)
  if (problems.length > 0) throw new ConfigError(problems)
  return sources
}

function readText(path: string): string {
  if (statSync(path).size > MAX_FILE_BYTES)
    throw new Error(`is larger than ${MAX_FILE_BYTES} bytes`)
  return readFileSync(path, 'utf8')
}

/**
 * Reads one source file.
 *
 * @param readProto the text of a `.proto` file beside it
 * @throws {ConfigError} with every problem of the file
 */
export function parseSource(text: string, readProto: (name: string) => string): Source {
  const file = shaped(text)
  const problems = crossChecks(file)
  for (const problem of compileSource(file).problems) problems.push(problem)
  const proto = protoOf(file, readProto, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  const revision = createHash('sha256')
    .update(text)
    .update('\0')
    .update(proto ?? '')
    .digest('hex')
  return { name: file.source, file, proto, revision: revision.slice(0, 16), text }
}

function shaped(text: string): SourceFile {
  let file: unknown
  try {
    // Aliases could make a small file into a large one.
    file = parse(text, { maxAliasCount: 100 })
  } catch (error) {
    throw new ConfigError([`is no YAML: ${messageOf(error).split('\n')[0]!}`])
  }
  const problems = fileProblems(file)
  if (problems.length > 0) throw new ConfigError(problems)
  return file as SourceFile
}

/** What JSON Schema cannot say. */
function crossChecks(file: SourceFile): string[] {
  const { kafka, files, format, csv, protobuf, events } = file
  const problems = s3Problems(file)
  if (!kafka && !files) problems.push('kafka.topic or files must say where messages come from')
  if (format === 'parquet' && kafka)
    problems.push('format parquet is of files: messages of Kafka are json, avro, protobuf or csv')
  for (const one of ['avro', 'protobuf'] as const)
    if (format === one && files)
      problems.push(`format ${one} is of Kafka: files are json, csv or parquet`)
  if (csv && format !== 'csv')
    problems.push(`csv goes with format csv, and the format is ${format}`)
  if (format === 'csv' && kafka && !csv?.columns)
    problems.push('csv.columns must name the columns: a message of Kafka has no heading')
  if ((protobuf !== undefined) !== (format === 'protobuf'))
    problems.push(
      protobuf
        ? `protobuf goes with format protobuf, and the format is ${format}`
        : 'protobuf must name file and message: format protobuf needs them',
    )
  if (kafka && events.some(({ type }) => type === 'inference') && format === 'csv')
    problems.push('events of type inference hold bodies, which a line of CSV does not')
  return problems
}

function protoOf(
  { protobuf }: SourceFile,
  readProto: (name: string) => string,
  problems: string[],
): string | undefined {
  if (!protobuf) return undefined
  try {
    const text = readProto(protobuf.file)
    const problem = protobufProblem(text, protobuf.message)
    if (problem) problems.push(`protobuf: ${protobuf.file} ${problem}`)
    return text
  } catch (error) {
    problems.push(`protobuf.file ${protobuf.file} cannot be read: ${messageOf(error)}`)
    return undefined
  }
}
