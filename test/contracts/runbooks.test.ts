/** Every alert has a runbook, and every runbook an alert. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { ROOT } from '../servers/processes.ts'

interface Rule {
  alert: string
  annotations: Record<string, string>
}
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const { groups } = parse(read('dashboards/generated/prometheus-rules.yaml')) as {
  groups: { rules: Rule[] }[]
}
const rules = groups.flatMap((group) => group.rules)

/** Alerts that Plumbline sends itself. */
const OWN = [...read('services/alerts/loop/send-alerts.ts').matchAll(/alertname: '(\w+)'/g)].map(
  (found) => found[1]!,
)

/** The text below each heading of the third rank, by the name that links use. */
const sections = new Map(
  read('docs/operations.md')
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const [heading, ...lines] = section.split('\n')
      return [heading!.toLowerCase(), lines.join('\n')]
    }),
)

test.each(rules)(
  '$alert names its runbook, which says what it means, where to look, what to do',
  (rule) => {
    const [, anchor] = /^docs\/operations\.md#(\w+)$/.exec(rule.annotations['runbook_url']!) ?? []
    const runbook = sections.get(anchor!) ?? ''
    for (const part of ['It means', 'Look at', 'Do']) expect(runbook).toContain(`- **${part}**: `)
    expect(rule.annotations).toHaveProperty('summary')
    expect(rule.annotations).toHaveProperty('description')
  },
)

test('alerts that Plumbline sends itself have a runbook, and no runbook is of no alert', () => {
  const alerts = [...rules.map(({ alert }) => alert), ...OWN].map((alert) => alert.toLowerCase())
  expect(OWN).toEqual(['PlumblineVerdict'])
  expect([...sections.keys()].filter((name) => name.startsWith('plumbline')).toSorted()).toEqual(
    alerts.toSorted(),
  )
})
