/**
 * The model files in force, read anew when they change: all of them or none. Readers hold one
 * immutable model at a time, and see another once they ask again.
 */
import { existsSync } from 'node:fs'
import { Counter, Gauge, type Registry } from 'prom-client'
import { ConfigError } from '../../runtime/config.ts'
import type { Logger } from '../../runtime/log.ts'
import type { Module } from '../../runtime/modules.ts'
import { pollLoop } from '../../runtime/poll-loop.ts'
import type { Models } from '../model-files.ts'
import { folderSignature } from './folder-signature.ts'
import { isModelFile, modelsOf, readModelFiles, type ReadFile } from './model-folder.ts'

/** What is in force of a folder of model files; times are epoch milliseconds. */
export interface ModelFolder {
  folder: string
  loadedAt: number
  files: readonly { file: string; modelId: string; sha256: string; loadedAt: number }[]
  /** The last reading, where it was refused and nothing was changed since. */
  refused: { at: number; problems: readonly string[] } | undefined
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
/** Problems of one reading that are kept and logged, at most. */
const MAX_PROBLEMS = 100

interface State extends LiveModelsParts {
  files: ReadonlyMap<string, ReadFile>
  snapshot: Models
  loadedAt: number
  /** When each file in force was read, by name. */
  readAt: ReadonlyMap<string, number>
  refused: ModelFolder['refused']
  /** The folder's signature when it was last read. */
  tried: string
  listeners: (() => void)[]
  told: (outcome: 'loaded' | 'refused', problems: number) => void
}

/**
 * Reads the files of a folder, and again when they change. A change is read once two looks in a row
 * find the same: what is being written is waited for.
 *
 * @throws {ConfigError} with every problem of every file, at the first reading only
 */
export function liveModels(parts: LiveModelsParts): LiveModels {
  const tried = folderSignature(parts.folder, isModelFile)
  const files = readModelFiles(parts.folder)
  const at = parts.now()
  const state: State = {
    ...parts,
    files,
    snapshot: modelsOf(files),
    loadedAt: at,
    readAt: new Map([...files.keys()].map((name) => [name, at])),
    refused: undefined,
    tried,
    listeners: [],
    told: loadsTeller(parts.registry),
  }
  return {
    models: {
      get: (modelId) => state.snapshot.get(modelId),
      get declared() {
        return state.snapshot.declared
      },
      onChange: (listener) => state.listeners.push(listener),
    },
    watching: parts.everyMs > 0 ? watcher(state) : undefined,
    reload: () => reload(state),
    inForce: () => inForce(state),
  }
}

function loadsTeller(registry: Registry): State['told'] {
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
  return (outcome, n) => {
    loads.inc({ outcome })
    problems.set(n)
  }
}

function watcher(state: State): Module {
  let seen = state.tried
  return pollLoop({
    name: 'model files',
    everyMs: state.everyMs,
    step: async () => {
      const last = seen
      seen = folderSignature(state.folder, isModelFile)
      if (seen !== state.tried && seen === last) reload(state)
    },
    onError: (error) => refuse(state, [String(error)]),
  }).module
}

function reload(state: State): void {
  try {
    state.tried = folderSignature(state.folder, isModelFile)
    if (state.files.size > 0 && !existsSync(state.folder))
      throw new ConfigError([`the folder ${state.folder} is gone`])
    const files = readModelFiles(state.folder, state.files)
    state.check?.(modelsOf(files))
    accept(state, files)
  } catch (error) {
    refuse(state, error instanceof ConfigError ? error.problems : [String(error)])
  }
}

function accept(state: State, files: ReadonlyMap<string, ReadFile>): void {
  const { files: before, readAt, log, now } = state
  const names = [...files.keys()]
  const changed = names.filter((name) => files.get(name) !== before.get(name))
  const removed = [...before.keys()].filter((name) => !files.has(name))
  const wasRefused = state.refused !== undefined
  state.refused = undefined
  if (changed.length + removed.length === 0 && !wasRefused) return
  const at = now()
  state.told('loaded', 0)
  state.files = files
  state.readAt = new Map(
    names.map((name) => [name, changed.includes(name) ? at : readAt.get(name)!]),
  )
  state.snapshot = modelsOf(files)
  state.loadedAt = at
  log.info(
    {
      changed: changed.slice(0, MAX_NAMED),
      removed: removed.slice(0, MAX_NAMED),
      models: files.size,
    },
    'model files loaded',
  )
  for (const listener of state.listeners) listener()
}

function refuse(state: State, problems: readonly string[]): void {
  const { log, now } = state
  const kept = problems.slice(0, MAX_PROBLEMS)
  state.refused = { at: now(), problems: kept }
  state.told('refused', problems.length)
  log.error({ problems: kept }, 'model files refused: those loaded before stay in force')
}

function inForce({ folder, loadedAt, files, readAt, refused }: State): ModelFolder {
  return {
    folder,
    loadedAt,
    files: [...files].map(([file, { sha256, model }]) => ({
      file,
      modelId: model.modelId,
      sha256,
      loadedAt: readAt.get(file)!,
    })),
    refused,
  }
}
