/**
 * Writes a registry's metrics as Prometheus reads them, in slices between which the process does
 * other things: a scrape of many series costs events and other requests no wait.
 */
import { setImmediate as otherThings } from 'node:timers/promises'
import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client'

/** Series that are written at a stretch; a millisecond or two. */
export const SLICE = 1000

/** A series as the client library gives it; those of a histogram share labels. */
interface Series {
  value: number
  labels?: Readonly<Record<string, string | number | undefined>>
  sharedLabels?: Readonly<Record<string, string | number | undefined>>
  metricName?: string
}

/** A metric as the client library keeps it. */
interface Written {
  get: () => Promise<MetricObjectWithValues<MetricValue<string>>>
  /** Histograms give their buckets without the labels that these share. */
  getForPromString?: Written['get']
}

/**
 * Gives one writer for a registry. Those who ask while it writes get the same text, so that scrapes
 * do not pile up.
 *
 * @param pause lets other things happen between slices
 */
export function metricsWriter(
  registry: Registry,
  pause: () => Promise<unknown> = otherThings,
): () => Promise<string> {
  let open: Promise<string> | undefined
  return () => (open ??= render(registry, pause).finally(() => (open = undefined)))
}

async function render(registry: Registry, pause: () => Promise<unknown>): Promise<string> {
  // The sources of all metrics are asked together, as some wait for a store.
  const metrics = await Promise.all(
    (registry.getMetricsAsArray() as unknown as Written[]).map((metric) =>
      metric.getForPromString ? metric.getForPromString() : metric.get(),
    ),
  )
  const chunks: string[] = []
  let lines: string[] = []
  for (const { name, help, type, values } of metrics) {
    lines.push(`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${String(type)}`)
    for (const series of values as Iterable<Series>) {
      lines.push(lineOf(name, series))
      if (lines.length < SLICE) continue
      chunks.push(lines.join('\n'), '\n')
      lines = []
      await pause()
    }
    lines.push('')
  }
  return chunks.join('') + lines.join('\n')
}

function lineOf(name: string, { value, labels = {}, sharedLabels, metricName }: Series): string {
  const pairs = pairsOf(sharedLabels ? { ...labels, ...sharedLabels } : labels)
  return `${metricName ?? name}${pairs === '' ? '' : `{${pairs}}`} ${numberOf(value)}`
}

const pairsOf = (labels: NonNullable<Series['labels']>) =>
  Object.entries(labels)
    .map(([label, value]) => `${label}="${escaped(String(value)).replaceAll('"', '\\"')}"`)
    .join(',')

const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')

function numberOf(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}
