/** Reads the model files of a folder. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import { parseModel, undeclared, type Model, type Models } from '../model-files.ts'

/** A model file as it was read. */
export interface ReadFile {
  /** SHA-256 of its bytes, hexadecimal. */
  sha256: string
  model: Model
}

/** A file that `PLUMBLINE_MODELS_DIR` is read for. */
export const isModelFile = (name: string): boolean => /\.ya?ml$/.test(name)

/**
 * Reads every `*.yaml` of the folder; a missing folder holds no models.
 *
 * @throws {ConfigError} with every problem of every file at once
 */
export const readModels = (folder: string): Models => modelsOf(readModelFiles(folder))

/**
 * Reads every `*.yaml` of the folder, by name.
 *
 * @param known files that were read before: one that says the same is not parsed again
 * @throws {ConfigError} with every problem of every file at once
 */
export function readModelFiles(
  folder: string,
  known: ReadonlyMap<string, ReadFile> = new Map(),
): ReadonlyMap<string, ReadFile> {
  const names = existsSync(folder) ? readdirSync(folder).filter(isModelFile).toSorted() : []
  const problems: string[] = []
  const files = new Map<string, ReadFile>()
  for (const name of names) {
    try {
      const bytes = readFileSync(join(folder, name))
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const before = known.get(name)
      const isSame = before?.sha256 === sha256
      files.set(name, isSame ? before : { sha256, model: parseModel(bytes.toString(), folder) })
    } catch (error) {
      const found = error instanceof ConfigError ? error.problems : [messageOf(error)]
      for (const problem of found) problems.push(`${name}: ${problem}`)
    }
  }
  const ids = [...files.values()].map(({ model }) => model.modelId)
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i)))
    problems.push(`two files declare the model ${id}`)
  if (problems.length > 0) throw new ConfigError(problems)
  return files
}

/** The models of files. */
export function modelsOf(files: ReadonlyMap<string, ReadFile>): Models {
  const declared = [...files.values()].map(({ model }) => model)
  const byId = new Map(declared.map((model) => [model.modelId, model]))
  return { declared, get: (modelId) => byId.get(modelId) ?? undeclared(modelId) }
}
