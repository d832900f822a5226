/** The source files in force, read anew when they change: all of them or none. */
import { Gauge, type Registry } from 'prom-client'
import { folderSignature } from '../models/reload/folder-signature.ts'
import { ConfigError } from '../runtime/config.ts'
import type { Logger } from '../runtime/log.ts'
import type { Module } from '../runtime/modules.ts'
import { pollLoop } from '../runtime/poll-loop.ts'
import type { Source } from './source-files.ts'

/** What is in force of a folder of source files; times are epoch milliseconds. */
export interface SourceFolder {
  folder: string
  loadedAt: number
  sources: readonly Source[]
  /** The last reading, where it was refused and nothing was changed since. */
  refused: { at: number; problems: readonly string[] } | undefined
}

/** The source files of a folder as they change. */
export interface LiveSources {
  inForce: () => SourceFolder
  /** Called once other files are in force. */
  onChange: (listener: () => void) => void
  /** Reads the files now. */
  reload: () => void
  /** Looks whether files have changed; there is none where nobody looks by himself. */
  watching: Module | undefined
}

/** What live sources are made of. */
export interface LiveSourcesParts {
  folder: string
  /** @throws {ConfigError} with every problem of every file, and of the settings around them */
  read: () => readonly Source[]
  /** Distance of two looks at the folder, milliseconds; 0: only `reload` reads. */
  everyMs: number
  registry: Registry
  log: Logger
  now: () => number
}

/** Problems of one reading that are kept and logged, at most. */
const MAX_PROBLEMS = 100
/** Source files, and the files that describe protocol buffers. */
const isSourceFile = (name: string) => /\.(ya?ml|proto)$/.test(name)
const revisionsOf = (sources: readonly Source[]) =>
  sources.map(({ name, revision }) => `${name} ${revision}`).join('\n')

/**
 * Reads the files of a folder, and again when they change. A change is read once two looks in a row
 * find the same: what is being written is waited for.
 *
 * @throws {ConfigError} at the first reading only
 */
export function liveSources(parts: LiveSourcesParts): LiveSources {
  const { folder, read, everyMs, log, now } = parts
  const problemsTold = new Gauge({
    name: 'plumbline_source_file_problems',
    help: 'Problems of the source files for which their last reading was refused; 0 when it was not.',
    registers: [parts.registry],
  })
  let tried = folderSignature(folder, isSourceFile)
  let current: SourceFolder = { folder, loadedAt: now(), sources: read(), refused: undefined }
  const listeners: (() => void)[] = []
  const refuse = (problems: readonly string[]) => {
    const kept = problems.slice(0, MAX_PROBLEMS)
    current = { ...current, refused: { at: now(), problems: kept } }
    problemsTold.set(problems.length)
    log.error({ problems: kept }, 'source files refused: those loaded before stay in force')
  }
  const accept = (sources: readonly Source[]) => {
    problemsTold.set(0)
    const isSame = revisionsOf(sources) === revisionsOf(current.sources)
    if (isSame) {
      current = { ...current, refused: undefined }
      return
    }
    current = { folder, loadedAt: now(), sources, refused: undefined }
    log.info({ sources: sources.length }, 'source files loaded')
    for (const listener of listeners) listener()
  }
  const reload = () => {
    try {
      tried = folderSignature(folder, isSourceFile)
      accept(read())
    } catch (error) {
      refuse(error instanceof ConfigError ? error.problems : [String(error)])
    }
  }
  let seen = tried
  const { module } = pollLoop({
    name: 'source files',
    everyMs,
    step: async () => {
      const last = seen
      seen = folderSignature(folder, isSourceFile)
      if (seen !== tried && seen === last) reload()
    },
    onError: (error) => refuse([String(error)]),
  })
  return {
    inForce: () => current,
    onChange: (listener) => void listeners.push(listener),
    reload,
    watching: everyMs > 0 ? module : undefined,
  }
}
