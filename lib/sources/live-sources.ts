/** The source files in force, read anew when they change: all of them or none. */
import { Gauge, type Registry } from 'prom-client'
import type { Logger } from '../runtime/log.ts'
import { folderSignature } from '../runtime/reload/folder-signature.ts'
import { liveReading, type LiveReading, type Reading } from '../runtime/reload/live-reading.ts'
import type { Source } from './source-files.ts'

/** What is in force of a folder of source files; times are epoch milliseconds. */
export interface SourceFolder extends Omit<Reading<readonly Source[]>, 'value'> {
  folder: string
  sources: readonly Source[]
}

/** The source files of a folder as they change. */
export interface LiveSources extends Omit<LiveReading<readonly Source[]>, 'inForce'> {
  inForce: () => SourceFolder
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

/** Source files, and the files that describe protocol buffers. */
const isSourceFile = (name: string) => /\.(ya?ml|proto)$/.test(name)
const revisionsOf = (sources: readonly Source[]) =>
  sources.map(({ name, revision }) => `${name} ${revision}`).join('\n')

/**
 * Reads the files of a folder, and again when they change.
 *
 * @throws {ConfigError} at the first reading only
 */
export function liveSources({ folder, registry, ...parts }: LiveSourcesParts): LiveSources {
  const problems = new Gauge({
    name: 'plumbline_source_file_problems',
    help: 'Problems of the source files for which their last reading was refused; 0 when it was not.',
    registers: [registry],
  })
  const live = liveReading({
    ...parts,
    name: 'source files',
    signature: () => folderSignature(folder, isSourceFile),
    isSame: (a, b) => revisionsOf(a) === revisionsOf(b),
    told: (sources) => ({ sources: sources.length }),
    count: (_outcome, n) => problems.set(n),
  })
  return {
    ...live,
    inForce: () => {
      const { value, loadedAt, refused } = live.inForce()
      return { folder, loadedAt, sources: value, refused }
    },
  }
}
