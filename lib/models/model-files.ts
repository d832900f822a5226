/** Reads and checks the model files; a model without a file is monitored with the defaults. */
import { createHash } from 'node:crypto'
import type { ErrorObject } from 'ajv'
import { parse } from 'yaml'
import { ModelFile, ModelWindows, type BusinessValue } from '../../schemas/model.ts'
import type { RetrainPolicy } from '../../schemas/model-retrain.ts'
import type { ModelCohorts } from '../../schemas/model-cohorts.ts'
import type { ModelExploration } from '../../schemas/model-exploration.ts'
import { alarmSettings } from '../../schemas/model-alarms.ts'
import type { ModelJudge } from '../../schemas/language-models/judges.ts'
import type { ModelReference } from '../../schemas/model-references.ts'
import type { ModelRetention } from '../../schemas/model-retention.ts'
import type { ModelCard } from '../../schemas/model-card.ts'
import type { ModelPrivacy } from '../../schemas/model-privacy.ts'
import type { UnusualEvents } from '../../schemas/model-unusual.ts'
import { ConfigError } from '../runtime/config.ts'
import { modelProblems } from './model-problems.ts'
import { parseOverrides, type AlarmLines } from './alarm-lines.ts'
import { choiceOf, type MetricsChoice } from './metrics/metrics-choice.ts'
import { readDescriptors } from './derived/declared-descriptors.ts'
import { readExpectations, type ExpectationRule } from './expectations/rules.ts'
import { ownershipOf, type Ownership } from './ownership.ts'
import { schemaProblems } from './schema-problems.ts'
import { slicesOf, type SliceDefinition } from './slices.ts'
import { featureSubject } from '../events/subjects.ts'
import type { Descriptor } from '../events/texts/descriptors.ts'
import { namedSettings } from './named-settings.ts'
import { reviewRules, type ReviewRules } from './labels/review-rules.ts'
import { compiledSchema } from '../runtime/compiled-schema.ts'

/** A model file with every default filled in. */
export interface Model {
  modelId: string
  /** Undefined for a model without a file: what its predictions look like decides. */
  task: ModelFile['task'] | undefined
  positiveClass: string
  /** Classes a reviewer may choose from; empty where any answer is one. */
  classes: readonly string[]
  windows: ModelWindows
  labels: LabelRules
  /** Margins have no calibration, and no share of 1. */
  scoreKind: 'probability' | 'margin'
  threshold: number
  /** What one number alone is that a model server answers; undefined: told from the number. */
  outputKind: OutputKind | undefined
  references: Record<string, ModelReference>
  features: NonNullable<ModelFile['features']>
  /** Features that are measured on its texts. */
  descriptors: readonly Descriptor[]
  referenceScores: ModelFile['reference_scores']
  /** Language models that are asked about its predictions. */
  judges: readonly ModelJudge[]
  /** Where the trace of a prediction is shown; `{trace_id}` stands for its id. */
  traceUrl: string | undefined
  /** What its inputs must be. */
  expectations: readonly ExpectationRule[]
  /** How many of the most unusual events of a window are kept, of how many; undefined: none. */
  unusualEvents: UnusualEvents | undefined
  fairness: NonNullable<ModelFile['fairness']>
  /** Those of `slices`, pairs and predicates. */
  slices: readonly SliceDefinition[]
  /** Undefined for a model that chooses no actions. */
  exploration: ModelExploration | undefined
  cohorts: Pick<ModelCohorts, 'values' | 'search' | 'odd_one_out'>
  /** Rows a classifier sees of each window; 0: none is asked. */
  multivariateRows: number
  falseAlarmsPerWeek: number
  /** Fixed lines decide in place of the budget, by the model file. */
  hasFixedLines: boolean
  businessValue: BusinessValue | undefined
  /** Aggregate expressions over joined outcomes, by name. */
  customMetrics: Readonly<Record<string, string>>
  /** Lines of `alarms.overrides`, by `family/metric` or `family/metric/subject`. */
  overrides: Readonly<Record<string, AlarmLines>>
  review: ReviewRules
  retrain: readonly RetrainPolicy[]
  ownership: Ownership
  /** What its model card says besides what is measured. */
  card: ModelCard
  /** Which of its numbers Prometheus gets. */
  metrics: MetricsChoice
  /** Folder of the model file, where its tables are; '' where there is none. */
  folder: string
  /** What is taken out of its events; undefined: nothing. */
  privacy: ModelPrivacy | undefined
  /** How long its rows are kept, where the file says so. */
  retention: ModelRetention | undefined
  /** Settings that its file names, such as `windows.size`; the others have their defaults. */
  named: ReadonlySet<string>
  /** Changes when the file does. */
  revision: string
  /** SHA-256 of the file, 64 hex digits; '' where there is none. */
  sha256: string
}

/** How labels are taken; the horizon is `0s` where none is declared and none was learned. */
export type LabelRules = Required<NonNullable<ModelFile['labels']>> & {
  /** The model file declares the horizon; otherwise it may be learned. */
  isHorizonDeclared: boolean
  /** It was learned from how long labels took. */
  isHorizonLearned: boolean
  /** What a label may be: one of the declared classes, a number, or anything. */
  values: 'classes' | 'number' | 'any'
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

const fileValidator = compiledSchema<ModelFile>(ModelFile, { useDefaults: true })
const windowsValidator = compiledSchema<ModelWindows>(ModelWindows, { useDefaults: true })

/** What monitors a model that says nothing of references. */
const DEFAULT_REFERENCES: Record<string, ModelReference> = {
  baseline: { kind: 'first', windows: 8, baseline: true },
  recent: { kind: 'trailing', windows: 4 },
}

/**
 * Reads one model file.
 *
 * @param folder where it lies; without one it can have no tables
 * @throws {ConfigError} with every problem of the file
 */
export function parseModel(text: string, folder = ''): Model {
  const file: unknown = parse(text)
  const named = namedSettings(file)
  const validate = fileValidator()
  if (!validate(file))
    throw new ConfigError(schemaProblems((validate.errors ?? []).filter(isOwnProblem)))
  const problems = modelProblems(file)
  if (problems.length > 0) throw new ConfigError(problems)
  const sha256 = createHash('sha256').update(text).digest('hex')
  return { ...withDefaults(file, hash(text)), folder, named, sha256 }
}

/** Whether an error is not just that an object is no short form of one. */
const isOwnProblem = ({ keyword, schemaPath, instancePath }: ErrorObject) =>
  instancePath !== '/alarms' || (keyword !== 'anyOf' && !schemaPath.includes('/anyOf/0/'))

/** Whether verdicts of drift come from a reference; of a table those of skew do. */
export const isBaseline = ({ kind, baseline }: ModelReference): boolean =>
  baseline === true && kind !== 'table'

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
/** A model without a file. */
export const undeclared = (modelId: string): Model => ({ ...UNDECLARED, modelId })

function withDefaults(file: ModelFile, revision: string): Model {
  const windows: Partial<ModelWindows> = { ...file.windows }
  windowsValidator()(windows)
  const alarms = alarmSettings(file.alarms)
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
      resolve: 'newest',
      compare: labelValuesOf(file) === 'any' ? 'exact' : 'normalised',
      ...file.labels,
      values: labelValuesOf(file),
      isHorizonDeclared: file.labels?.horizon !== undefined,
      isHorizonLearned: false,
    },
    scoreKind: file.score_kind ?? 'probability',
    outputKind: file.output?.kind,
    threshold: file.threshold ?? (file.score_kind === 'margin' ? 0 : 0.5),
    references: withBaseline(file.references ?? {}),
    features: file.features ?? {},
    descriptors: readDescriptors(file).descriptors,
    referenceScores: file.reference_scores,
    judges: file.judges ?? [],
    traceUrl: file.trace_url,
    expectations: expectationsOf(file).rules,
    unusualEvents: file.unusual_events,
    fairness: file.fairness ?? { attributes: {}, favorable: '1' },
    slices: slicesOf(file.slices ?? [], file.cohorts),
    exploration: file.exploration,
    cohorts: { values: 50, odd_one_out: true, ...file.cohorts },
    multivariateRows: file.multivariate?.rows ?? 0,
    businessValue: file.business_value,
    customMetrics: file.custom_metrics ?? {},
    falseAlarmsPerWeek: alarms.false_alarms_per_week ?? 0.25,
    hasFixedLines: alarms.kind === 'fixed',
    overrides: parseOverrides(alarms.overrides ?? {}).lines,
    review: reviewRules(file.review),
    retrain: file.retrain ?? [],
    ownership: ownershipOf(file),
    card: file.card ?? {},
    metrics: choiceOf(file.metrics),
    folder: '',
    privacy: file.privacy,
    retention: file.retention,
    named: new Set(),
    revision,
    sha256: '',
  }
}

/** Classes that nobody declared say nothing: predictions may be spelled otherwise. */
function labelValuesOf({ classes = [], task }: ModelFile): LabelRules['values'] {
  if (task === 'regression') return 'number'
  return classes.length > 0 && task !== 'llm' ? 'classes' : 'any'
}

/**
 * References with the one that verdicts of drift come from: the declared one, else the first of
 * production's own, else the first windows. A table is none: what production was trained on is
 * another question than what it was like before.
 */
function withBaseline(declared: Record<string, ModelReference>): Record<string, ModelReference> {
  const own = Object.entries(declared).filter(([, { kind }]) => kind !== 'table')
  if (own.some(([, reference]) => isBaseline(reference))) return declared
  const [first] = own
  return first
    ? { ...declared, [first[0]]: { ...first[1], baseline: true } }
    : { ...DEFAULT_REFERENCES, ...declared }
}

function expectationsOf({ expectations = [], features = {} }: ModelFile) {
  return readExpectations(expectations, Object.keys(features))
}

function hash(text: string): string {
  let h = 2166136261
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619)
  return (h >>> 0).toString(16).padStart(8, '0')
}
