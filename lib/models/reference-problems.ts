/** What is wrong with the references of a model file, beyond its JSON Schema. Pure. */
import type { ModelFile } from '../../schemas/model.ts'
import { eventsOf } from './windows.ts'

/** Names that the default references have, which a table beside them may not take. */
const DEFAULT_NAMES = new Set(['baseline', 'recent'])
type References = NonNullable<ModelFile['references']>

/** Every problem of `references`, a sentence each. */
export function referenceProblems({ references = {}, windows }: ModelFile): string[] {
  const problems: string[] = []
  for (const [name, reference] of Object.entries(references)) {
    const { kind, from = '', to = '', model_version } = reference
    const at = `references.${name} of kind ${kind}`
    if (kind === 'fixed' && !(Date.parse(from) < Date.parse(to)))
      problems.push(`${at} needs from and to, from before to`)
    if (kind === 'version' && model_version === undefined)
      problems.push(`${at} needs model_version`)
    if (kind === 'season' && windows && eventsOf(windows.size) !== undefined)
      problems.push(`${at} needs windows of a duration`)
    if (kind === 'season' && windows?.season === undefined)
      problems.push(`${at} needs windows.season`)
  }
  return [...problems, ...tableProblems(references), ...baselineProblems(references)]
}

function tableProblems(references: References): string[] {
  const entries = Object.entries(references)
  const isAlone = entries.every(([, { kind }]) => kind === 'table')
  return entries.flatMap(([name, { kind, file, columns, from, to, windows, on_promotion }]) => {
    const at = `references.${name} of kind ${kind}`
    if (kind !== 'table') {
      const key = file !== undefined ? 'file' : columns !== undefined ? 'columns' : undefined
      return key ? [`${at} has ${key}, which only kind table has`] : []
    }
    const others = { from, to, windows, on_promotion }
    return [
      ...(file === undefined ? [`${at} needs file, such as training.parquet`] : []),
      ...Object.entries(others).flatMap(([key, value]) =>
        value === undefined ? [] : [`${at} has ${key}, which a table has not`],
      ),
      ...(isAlone && DEFAULT_NAMES.has(name)
        ? [`references.${name} is the name of a default reference: call the table training`]
        : []),
    ]
  })
}

function baselineProblems(references: References): string[] {
  const baselines = Object.values(references).filter(({ baseline }) => baseline)
  const own = baselines.filter(({ kind }) => kind !== 'table')
  const problems: string[] = []
  if (own.length > 1) problems.push('references: only one may have baseline: true')
  if (baselines.length - own.length > 1)
    problems.push('references: only one table may have baseline: true')
  if (own[0] && ['trailing', 'previous'].includes(own[0].kind))
    problems.push(
      `references: a reference of kind ${own[0].kind} forgets what it drifts with, and cannot be the baseline`,
    )
  return problems
}
