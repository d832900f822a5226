/** Reads and checks the model files; a model without a file is monitored with the defaults. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import {
  ModelFile,
  ModelWindows,
  type BusinessValue,
  type ModelReference,
  type RetrainPolicy,
} from '../../schemas/model.ts'
import { ConfigError } from '../runtime/config.ts'
import { messageOf } from '../runtime/errors.ts'
import { parseOverrides, type AlarmLines } from './alarm-lines.ts'
import { choiceOf, choiceProblems, type MetricsChoice } from './metrics-choice.ts'
import { ownershipOf, type Ownership } from './ownership.ts'
import { schemaProblems } from './schema-problems.ts'
import { retrainProblems } from './retrain-problems.ts'
import { featureSubject } from '../events/subjects.ts'
import { eventsOf, isTimezone, windowSpecProblem } from './windows.ts'

/** A model file with every default filled in. */
export interface Model {
  modelId: string
  /** Undefined for a model without a file: what its predictions look like decides. */
  task: ModelFile['task'] | undefined
  positiveClass: string
  /** Classes a reviewer may choose from; empty where any answer is one. */
  classes: readonly string[]
  windows: ModelWindows
  labels: Required<NonNullable<ModelFile['labels']>>
  /** Margins have no calibration, and no share of 1. */
  scoreKind: 'probability' | 'margin'
  threshold: number
  /** What one number alone is that a model server answers; undefined: told from the number. */
  outputKind: OutputKind | undefined
  references: Record<string, ModelReference>
  features: NonNullable<ModelFile['features']>
  fairness: NonNullable<ModelFile['fairness']>
  slices: readonly string[]
  /** Rows a classifier sees of each window; 0: none is asked. */
  multivariateRows: number
  falseAlarmsPerWeek: number
  businessValue: BusinessValue | undefined
  /** Aggregate expressions over joined outcomes, by name. */
  customMetrics: Readonly<Record<string, string>>
  /** Lines of `alarms.overrides`, by `family/metric` or `family/metric/subject`. */
  overrides: Readonly<Record<string, AlarmLines>>
  review: { reviewers: number; budgetPerDay: number; randomShare: number }
  retrain: readonly RetrainPolicy[]
  ownership: Ownership
  /** Which of its numbers Prometheus gets. */
  metrics: MetricsChoice
  /** Changes when the file does. */
  revision: string
}

/** What a model's prediction is: a class, a probability of the positive class, or a number. */
export type OutputKind = 'class' | 'probability' | 'value'

/**
 * The model files of a folder, by model id. Files may change while the process runs: what is asked
 * once is one model's whole file, and whoever does a piece of work asks once for all of it.
 */
export interface Models {
  get: (modelId: string) => Model
  readonly declared: readonly Model[]
  /** Has a function called each time other files are in force; absent where they never change. */
  onChange?: (listener: () => void) => void
}

const ajv = new Ajv({ allErrors: true, verbose: true, useDefaults: true, strict: false })
const validateFile = ajv.compile<ModelFile>(ModelFile)
const validateWindows = ajv.compile<ModelWindows>(ModelWindows)

/** What monitors a model that says nothing of references. */
const DEFAULT_REFERENCES: Record<string, ModelReference> = {
  baseline: { kind: 'first', windows: 8, baseline: true },
  recent: { kind: 'trailing', windows: 4 },
}

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
      files.set(name, isSame ? before : { sha256, model: parseModel(bytes.toString()) })
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

/** @throws {ConfigError} with every problem of the file */
export function parseModel(text: string): Model {
  const file: unknown = parse(text)
  if (!validateFile(file)) {
    throw new ConfigError(schemaProblems(validateFile.errors ?? []))
  }
  const problems = crossChecks(file)
  if (problems.length > 0) throw new ConfigError(problems)
  return withDefaults(file, hash(text))
}

/** Subjects whose values are categories by the model file, numbers too. */
export function declaredCodes(features: Model['features']): ReadonlySet<string> {
  const known = codes.get(features)
  if (known) return known
  const found = new Set(
    Object.entries(features).flatMap(([name, kind]) =>
      kind === 'categorical' || kind === 'boolean' ? [featureSubject(name)] : [],
    ),
  )
  codes.set(features, found)
  return found
}

/** Made once for each model file. */
const codes = new WeakMap<Model['features'], ReadonlySet<string>>()

/**
 * What all models without a file have in common: made once, since anybody can send events of any
 * number of them.
 */
const UNDECLARED = { ...withDefaults({ model_id: '', task: 'binary' }, ''), task: undefined }
const undeclared = (modelId: string): Model => ({ ...UNDECLARED, modelId })

function withDefaults(file: ModelFile, revision: string): Model {
  const windows: Partial<ModelWindows> = { ...file.windows }
  validateWindows(windows)
  const references =
    file.references && Object.keys(file.references).length > 0
      ? file.references
      : DEFAULT_REFERENCES
  const hasBaseline = Object.values(references).some((reference) => reference.baseline)
  const [onlyName] = Object.keys(references)
  return {
    modelId: file.model_id,
    task: file.task,
    positiveClass: file.positive_class ?? '1',
    classes: file.classes ?? (file.task === 'binary' ? ['0', '1'] : []),
    windows: windows as ModelWindows,
    labels: {
      horizon: '0s',
      absent_means: 'unknown',
      evaluate_at: [1],
      precedence: ['ground_truth', 'human_review', 'user_feedback', 'judge'],
      ...file.labels,
    },
    scoreKind: file.score_kind ?? 'probability',
    outputKind: file.output?.kind,
    threshold: file.threshold ?? (file.score_kind === 'margin' ? 0 : 0.5),
    references: hasBaseline
      ? references
      : { ...references, [onlyName!]: { ...references[onlyName!]!, baseline: true } },
    features: file.features ?? {},
    fairness: file.fairness ?? { attributes: {}, favorable: '1' },
    slices: file.slices ?? [],
    multivariateRows: file.multivariate?.rows ?? 0,
    businessValue: file.business_value,
    customMetrics: file.custom_metrics ?? {},
    falseAlarmsPerWeek: file.alarms?.false_alarms_per_week ?? 0.25,
    overrides: parseOverrides(file.alarms?.overrides ?? {}).lines,
    review: {
      reviewers: file.review?.reviewers ?? 1,
      budgetPerDay: file.review?.budget_per_day ?? 0,
      randomShare: file.review?.draw.random ?? 1,
    },
    retrain: file.retrain ?? [],
    ownership: ownershipOf(file),
    metrics: choiceOf(file.metrics),
    revision,
  }
}

/** Labels that alerts have already. */
const TAKEN_LABELS = new Set(
  'alertname model_id family metric subject reference severity owner team environment'.split(' '),
)

/** What JSON Schema cannot say. */
function crossChecks(file: ModelFile): string[] {
  const problems: string[] = []
  for (const name of Object.keys(file.alert_labels ?? {}))
    if (TAKEN_LABELS.has(name) || name.startsWith('__'))
      problems.push(`alert_labels.${name} is taken: alerts have a label of that name`)
  const windows = file.windows
  if (windows) {
    const problem = windowSpecProblem(windows.size, windows.slide)
    if (problem) problems.push(`windows ${problem}`)
    if (!isTimezone(windows.timezone))
      problems.push(`windows.timezone ${windows.timezone} is not an IANA time zone`)
  }
  for (const [name, reference] of Object.entries(file.references ?? {})) {
    const { from = '', to = '' } = reference
    if (reference.kind === 'fixed' && !(Date.parse(from) < Date.parse(to)))
      problems.push(`references.${name} of kind fixed needs from and to, from before to`)
  }
  for (const [name, { kind, model_version }] of Object.entries(file.references ?? {})) {
    if (kind === 'version' && model_version === undefined)
      problems.push(`references.${name} of kind version needs model_version`)
    if (kind === 'season' && windows && eventsOf(windows.size) !== undefined)
      problems.push(`references.${name} of kind season needs windows of a duration`)
    if (kind === 'season' && windows?.season === undefined)
      problems.push(`references.${name} of kind season needs windows.season`)
  }
  const baselines = Object.values(file.references ?? {}).filter((reference) => reference.baseline)
  if (baselines.length > 1) problems.push('references: only one may have baseline: true')
  if (baselines[0] && ['trailing', 'previous'].includes(baselines[0].kind))
    problems.push(
      `references: a reference of kind ${baselines[0].kind} forgets what it drifts with, and cannot be the baseline`,
    )
  for (const problem of parseOverrides(file.alarms?.overrides ?? {}).problems)
    problems.push(problem)
  const looks = file.labels?.evaluate_at
  if (looks && (looks.length === 0 || !looks.includes(1)))
    problems.push('labels.evaluate_at must end with 1: the whole label horizon')
  for (const problem of retrainProblems(file)) problems.push(problem)
  for (const problem of choiceProblems(file.metrics)) problems.push(problem)
  return problems
}

function hash(text: string): string {
  let h = 2166136261
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619)
  return (h >>> 0).toString(16).padStart(8, '0')
}
