/** A folder of trained models, one JSON file per version: what stands in for a model registry. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LogisticModel } from './logistic-regression.ts'

const nameOf = (version: string) => `elec2-${version}.json`

export function saveModel(directory: string, version: string, model: LogisticModel): void {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, nameOf(version))
  writeFileSync(`${path}.new`, JSON.stringify(model))
  renameSync(`${path}.new`, path)
}

export function loadModel(directory: string, version: string): LogisticModel {
  return JSON.parse(readFileSync(join(directory, nameOf(version)), 'utf8')) as LogisticModel
}

/** The number after the newest version. */
export function nextVersion(directory: string): string {
  const versions = readdirSync(directory).flatMap(
    (file) => /^elec2-(\d+)\.json$/.exec(file)?.[1] ?? [],
  )
  return String(Math.max(0, ...versions.map(Number)) + 1)
}
