/** Metrics are written as the client library writes them, a slice at a time. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { metricsWriter, SLICE } from './render-metrics.ts'

function filled(): Registry {
  const registry = new Registry()
  const registers = [registry]
  const odd = new Gauge({ name: 'odd', help: 'a\\b\nc', labelNames: ['label'], registers })
  for (const label of ['', 'say "no"', 'back\\slash', 'new\nline', 'ü'])
    odd.set({ label }, label.length)
  odd.set({ label: 'inf' }, Infinity)
  odd.set({ label: 'least' }, -Infinity)
  new Counter({ name: 'count_total', help: 'c', registers }).inc(0.1)
  const seconds = new Histogram({ name: 'seconds', help: 's', labelNames: ['topic'], registers })
  seconds.observe({ topic: 't' }, 0.2)
  new Gauge({ name: 'none', help: 'n', labelNames: ['x'], registers })
  return registry
}

test('as the client library writes them, histograms and odd labels too', async () => {
  const registry = filled()
  expect(await metricsWriter(registry)()).toBe(await registry.metrics())
})

test('other things happen between slices, and who asks meanwhile gets the same text', async () => {
  const registry = filled()
  const many = new Gauge({ name: 'many', help: 'm', labelNames: ['i'], registers: [registry] })
  for (let i = 0; i < 3 * SLICE; i++) many.set({ i }, i)
  let pauses = 0
  const write = metricsWriter(registry, async () => void pauses++)
  const [text, same] = await Promise.all([write(), write()])
  expect(text).toBe(await registry.metrics())
  expect(same).toBe(text)
  expect(pauses).toBe(3)
  many.set({ i: 0 }, 42)
  expect(await write()).toContain('many{i="0"} 42')
})
