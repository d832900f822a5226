/** The model files in force, read anew when they change: all of them or none. */
import { existsSync } from 'node:fs'
import { Counter, Gauge, type Registry } from 'prom-client'
import { ConfigError } from '../../runtime/config.ts'
import type { Logger } from '../../runtime/log.ts'
import type { Module } from '../../runtime/modules.ts'
import { folderSignature } from '../../runtime/reload/folder-signature.ts'
import { liveReading, type Reading } from '../../runtime/reload/live-reading.ts'
import type { Models } from '../model-files.ts'
import { isModelFile, modelsOf, readModelFiles, type ReadFile } from './model-folder.ts'

/** What is in force of a folder of model files; times are epoch milliseconds. */
export interface ModelFolder extends Omit<Reading<ModelFiles>, 'value'> {
  folder: string
  files: readonly { file: string; modelId: string; sha256: string; loadedAt: number }[]
}

/** The model files of a folder as they change. */
export interface LiveModels {
  models: Models
  /** Looks whether files have changed; there is none where nobody looks by himself. */
  watching: Module | undefined
  /** Reads the files now. */
  reload: () => void
  inForce: () => ModelFolder
}

/** What live models are made of. */
export interface LiveModelsParts {
  folder: string
  /** Distance of two looks at the folder, milliseconds; 0: only `reload` reads. */
  everyMs: number
  /** @throws {ConfigError} for models that cannot work under the other settings */
  check?: (models: Models) => void
  registry: Registry
  log: Logger
  now: () => number
}

/** Names that one line of the log holds, at most. */
const MAX_NAMED = 20

/** What was read of a folder. */
interface ModelFiles {
  files: ReadonlyMap<string, ReadFile>
  snapshot: Models
  /** When each file was read, by name. */
  readAt: ReadonlyMap<string, number>
}

/**
 * Reads the files of a folder, and again when they change.
 *
 * @throws {ConfigError} with every problem of every file, at the first reading only
 */
export function liveModels(parts: LiveModelsParts): LiveModels {
  const { folder, everyMs, log, now } = parts
  const live = liveReading<ModelFiles>({
    name: 'model files',
    signature: () => folderSignature(folder, isModelFile),
    read: (before) => readFolder(parts, before),
    isSame: (a, b) => changesOf(b, a).length + missingOf(b, a).length === 0,
    told: (value, before) => ({
      changed: changesOf(value, before).slice(0, MAX_NAMED),
      removed: missingOf(value, before).slice(0, MAX_NAMED),
      models: value.files.size,
    }),
    count: loadsCounter(parts.registry),
    everyMs,
    log,
    now,
  })
  return {
    models: {
      get: (modelId) => live.inForce().value.snapshot.get(modelId),
      get declared() {
        return live.inForce().value.snapshot.declared
      },
      onChange: live.onChange,
    },
    watching: live.watching,
    reload: live.reload,
    inForce: () => folderInForce(folder, live.inForce()),
  }
}

function loadsCounter(registry: Registry) {
  const registers = [registry]
  const loads = new Counter({
    name: 'plumbline_model_file_loads_total',
    help: 'Readings of changed model files by what became of them: loaded, or refused as a whole.',
    labelNames: ['outcome'],
    registers,
  })
  const problems = new Gauge({
    name: 'plumbline_model_file_problems',
    help: 'Problems of the model files for which their last reading was refused; 0 when it was not.',
    registers,
  })
  for (const outcome of ['loaded', 'refused']) loads.inc({ outcome }, 0)
  return (outcome: 'loaded' | 'refused', n: number) => {
    loads.inc({ outcome })
    problems.set(n)
  }
}

/**
 * Reads the folder. One that is gone takes no model with it: one that is there and empty says that
 * there are none.
 */
function readFolder(
  { folder, check, now }: LiveModelsParts,
  before: ModelFiles | undefined,
): ModelFiles {
  if (before && before.files.size > 0 && !existsSync(folder))
    throw new ConfigError([`the folder ${folder} is gone`])
  const files = readModelFiles(folder, before?.files)
  const snapshot = modelsOf(files)
  // The first reading is checked by whoever starts.
  if (before) check?.(snapshot)
  const at = now()
  const readAt = [...files].map(([name, file]): [string, number] => [
    name,
    before?.files.get(name) === file ? before.readAt.get(name)! : at,
  ])
  return { files, snapshot, readAt: new Map(readAt) }
}

/** Names of files that are new or other than before. */
const changesOf = ({ files }: ModelFiles, before: ModelFiles): string[] =>
  [...files.keys()].filter((name) => files.get(name) !== before.files.get(name))

const missingOf = ({ files }: ModelFiles, before: ModelFiles): string[] =>
  [...before.files.keys()].filter((name) => !files.has(name))

const folderInForce = (
  folder: string,
  { value, loadedAt, refused }: Reading<ModelFiles>,
): ModelFolder => ({
  folder,
  loadedAt,
  files: [...value.files].map(([file, { sha256, model }]) => ({
    file,
    modelId: model.modelId,
    sha256,
    loadedAt: value.readAt.get(file)!,
  })),
  refused,
})
