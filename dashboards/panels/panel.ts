/** What a panel of a Grafana dashboard is, whatever it shows. */

/** Sizes are in Grafana's units: a page is 24 wide. */
export interface PanelSpec {
  title: string
  /** What it shows and how to read it, in a sentence. */
  description: string
  unit: string
  kind: 'timeseries' | 'table' | 'stat' | 'state'
  /** SQL on the public tables, or PromQL on what the services export. */
  query: { sql: string } | { promql: string; legend: string }
  width: number
  height: number
  /** Numbers stand for verdicts, and are shown as their words. */
  areVerdicts?: boolean
}

/** One dashboard: its variables, and rows of panels in the order of the page. */
export interface DashboardSpec {
  uid: string
  title: string
  /** What a dashboard can be narrowed to; each is one of {@link VARIABLES}. */
  variables: readonly (keyof typeof VARIABLES)[]
  rows: readonly { row: string; panels: readonly PanelSpec[] }[]
}

/** Choice of a variable that narrows nothing. */
export const EVERYTHING = '(all)'

/**
 * Variables by their name, as the SQL that lists their values, and the condition of a panel that
 * follows. Values go into SQL through Grafana's own quoting (`:sqlstring`), whatever they hold.
 */
export const VARIABLES = {
  model: {
    label: 'Model',
    values: 'SELECT DISTINCT model_id FROM window_revisions ORDER BY model_id',
    condition: 'model_id = ${model:sqlstring}',
  },
  version: {
    label: 'Version',
    values: `SELECT '${EVERYTHING}' AS value UNION ALL SELECT value FROM (SELECT DISTINCT model_version AS value FROM cohort_newest_windows WHERE model_id = \${model:sqlstring} AND model_version != '' ORDER BY value)`,
    condition: `if(model_version = '', '${EVERYTHING}', model_version) = \${version:sqlstring}`,
  },
  cohort: {
    label: 'Cohort',
    values: `SELECT '${EVERYTHING}' AS value UNION ALL SELECT value FROM (SELECT DISTINCT concat(slice_key, '=', slice_value) AS value FROM cohort_newest_windows WHERE model_id = \${model:sqlstring} AND slice_key != '' ORDER BY value)`,
    condition: `if(slice_key = '', '${EVERYTHING}', concat(slice_key, '=', slice_value)) = \${cohort:sqlstring}`,
  },
} as const

/** Rows of one model as a whole. */
export const WHOLE = `model_version = '' AND variant = '' AND slice_key = ''`

/** A panel of SQL; time series have the columns time, label and value. */
export const sqlPanel = (
  [title, description, unit]: readonly [title: string, description: string, unit: string],
  kind: 'timeseries' | 'table' | 'stat',
  sql: string,
  size: Partial<Pick<PanelSpec, 'width' | 'height'>> = {},
): PanelSpec => ({ title, description, unit, kind, query: { sql }, ...SIZES[kind], ...size })

/** A panel of PromQL, one line for each legend. */
export const promPanel = (
  [title, description, unit]: readonly [title: string, description: string, unit: string],
  promql: string,
  legend: string,
  shown: Partial<Pick<PanelSpec, 'kind' | 'width' | 'height' | 'areVerdicts'>> = {},
): PanelSpec => {
  const kind = shown.kind ?? 'timeseries'
  return { title, description, unit, kind, query: { promql, legend }, ...SIZES[kind], ...shown }
}

const SIZES = {
  timeseries: { width: 12, height: 8 },
  table: { width: 12, height: 8 },
  stat: { width: 6, height: 4 },
  state: { width: 24, height: 8 },
} as const
