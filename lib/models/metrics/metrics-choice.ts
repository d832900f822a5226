/** Which numbers of a model Prometheus gets, as the section `metrics` of its file says. Pure. */
import { DEFAULT_ACTIVE, type ModelMetrics } from '../../../schemas/model-metrics.ts'
import { didYouMean } from '../../runtime/nearest-name.ts'
import { METRICS, worseSide } from '../metric-names.ts'

/** Which numbers of a model are series, besides its verdicts by family and its headline. */
export interface MetricsChoice {
  /** Active alarms and warnings that are series by name, at most. */
  active: number
  /** `*`, `family/*`, `family/metric` and `family/metric/subject` of results that are series. */
  values: ReadonlySet<string>
  /** Cohorts besides the model as a whole. */
  cohorts: ReadonlySet<ModelMetrics['cohorts'][number]>
}

/** What is chosen where a model file says nothing. */
export const DEFAULT_CHOICE: MetricsChoice = {
  active: DEFAULT_ACTIVE,
  values: new Set(),
  cohorts: new Set(),
}

/** The choice of a model file, with defaults where it says nothing. */
export const choiceOf = (metrics: ModelMetrics | undefined): MetricsChoice =>
  metrics
    ? {
        active: metrics.active,
        values: new Set(metrics.values),
        cohorts: new Set(metrics.cohorts),
      }
    : DEFAULT_CHOICE

/** Every problem of the section, each a sentence that begins with its path. */
export const choiceProblems = (metrics: ModelMetrics | undefined): string[] =>
  (metrics?.values ?? []).flatMap((value, i) => {
    const problem = valueProblem(value)
    return problem ? [`metrics.values.${i} ${problem}`] : []
  })

function valueProblem(value: string): string | undefined {
  if (value === '*') return undefined
  const [family = '', metric, ...subject] = value.split('/')
  const metrics = METRICS[family]
  if (!metrics)
    return `${value} names no family of metrics (${Object.keys(METRICS).join(', ')})${didYouMean(family, Object.keys(METRICS))}`
  if (!metric || (metric === '*' && subject.length > 0))
    return `${value} must be *, family/*, family/metric or family/metric/subject`
  if (metric !== '*' && worseSide(family, metric) === undefined)
    return `${value} names no metric of ${family}${didYouMean(metric, metrics.keys())}`
  return undefined
}

/** Tells whether a result is among the chosen values. */
export const isChosen = (
  { values }: MetricsChoice,
  { family, metric, subject }: { family: string; metric: string; subject: string },
): boolean =>
  values.size > 0 &&
  (values.has('*') ||
    values.has(`${family}/*`) ||
    values.has(`${family}/${metric}`) ||
    values.has(`${family}/${metric}/${subject}`))
