/** What an attack measured, as a table and the lines below it. Pure. */

/** One group of inputs. */
export interface Row {
  group: string
  inputs: number
  /** Answered by 4xx, or by the end of the connection. */
  refused: number
  /** Accepted and then kept as dead letters, or as windows that cannot be validated. */
  setAside: number
  /** Answered by 2xx or 3xx. */
  accepted: number
  slowestMs: number
  /** Answered by 5xx, not at all, or later than the bound. */
  errors: number
}

export interface Report {
  seed: number
  rows: readonly Row[]
  /** The first errors, each with the input that made it. */
  findings: readonly string[]
  /** Hostile statements that were answered, and what they changed. */
  breaches: readonly string[]
  good: { sent: number; again: number; stored: number; rows: number; slowestMs: number }
  /** MiB of memory of the service; undefined where it cannot be known. */
  peakMiB: number | undefined
  memoryLimitMiB: number
  hasDied: boolean
  /** Undefined where the service is another's. */
  restartWorks: boolean | undefined
  seconds: number
}

/** Why the attack has succeeded, each as a sentence; none where the service held. */
export function defeats(report: Report): string[] {
  const { good, breaches, peakMiB, memoryLimitMiB, rows } = report
  const errors = rows.reduce((sum, row) => sum + row.errors, 0)
  return [
    report.hasDied && 'the service died',
    report.restartWorks === false && 'the service did not start again',
    good.stored < good.sent && `${good.sent - good.stored} good events were lost`,
    good.rows > good.stored && `${good.rows - good.stored} good events were stored twice`,
    breaches.length > 0 && `${breaches.length} hostile statements were answered or did something`,
    peakMiB !== undefined &&
      peakMiB > memoryLimitMiB &&
      `memory passed its limit of ${memoryLimitMiB} MiB`,
    errors > 0 && `${errors} inputs got an answer of 5xx, none, or one too late`,
  ].filter((sentence) => sentence !== false)
}

const COLUMNS = ['group', 'inputs', 'refused', 'set aside', 'accepted', 'slowest', 'errors']
const milliseconds = (ms: number) => `${Math.ceil(ms)} ms`

/** The report as it is printed. */
export function printed(report: Report): string {
  const { rows, good, peakMiB, findings, breaches } = report
  const sum = (key: 'inputs' | 'refused' | 'setAside' | 'accepted' | 'errors') =>
    rows.reduce((total, row) => total + row[key], 0)
  const all: Row = {
    group: 'all',
    inputs: sum('inputs'),
    refused: sum('refused'),
    setAside: sum('setAside'),
    accepted: sum('accepted'),
    slowestMs: rows.reduce((most, row) => Math.max(most, row.slowestMs), 0),
    errors: sum('errors'),
  }
  const cells = [
    COLUMNS,
    ...[...rows, all].map((row) =>
      [
        row.group,
        row.inputs,
        row.refused,
        row.setAside,
        row.accepted,
        milliseconds(row.slowestMs),
        row.errors,
      ].map(String),
    ),
  ]
  const restart = { true: 'works', false: 'FAILED', undefined: 'not tried' }
  return [
    ...table(cells),
    '',
    `memory of the service at most ${peakMiB === undefined ? 'unknown' : `${Math.ceil(peakMiB)} MiB`} (limit ${report.memoryLimitMiB} MiB)`,
    `good events: ${good.sent} sent (${good.again} of their tries were told to come again), ${good.stored} stored, ${good.sent - good.stored} lost, slowest ${milliseconds(good.slowestMs)}`,
    `restart: ${restart[String(report.restartWorks) as keyof typeof restart]}`,
    `took ${Math.round(report.seconds)} s with --seed ${report.seed}`,
    ...listed('errors', findings),
    ...listed('breaches', breaches),
    '',
    ...(defeats(report).length > 0 ? defeats(report) : ['the service held']),
  ].join('\n')
}

function table(cells: readonly (readonly string[])[]): string[] {
  const widths = COLUMNS.map((_, column) =>
    cells.reduce((most, row) => Math.max(most, row[column]!.length), 0),
  )
  return cells.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  '),
  )
}

const listed = (name: string, lines: readonly string[]) =>
  lines.length === 0 ? [] : ['', `${name}, the first of them:`, ...lines.slice(0, 20)]
