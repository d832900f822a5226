/** `compose.yaml` and what it mounts: nothing it names is missing, unknown or unpinned. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { VariableType } from '@grafana/grafana-foundation-sdk/dashboard'
import { expect, test } from 'vitest'
import { DASHBOARDS, grafanaDashboard } from '../../dashboards/grafana-dashboards.ts'
import { parse } from 'yaml'
import { Config } from '../../targets.ts'
import { ROOT } from '../servers/processes.ts'

interface Service {
  image: string
  command?: string[]
  environment?: Record<string, string | number>
  volumes?: string[]
  ports?: string[]
  read_only?: boolean
  cap_drop?: string[]
}
interface Compose {
  services: Record<string, Service>
  volumes: Record<string, unknown>
}

const text = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const yaml = <T>(path: string) => parse(text(path)) as T
const { services, volumes } = yaml<Compose>('compose.yaml')
const mounts = Object.values(services).flatMap((service) => service.volumes ?? [])

test('every file that is mounted exists, and every volume is declared', () => {
  const sources = mounts.map((mount) => mount.split(':')[0]!)
  const missing = sources.filter((source) =>
    source.startsWith('./') ? !existsSync(join(ROOT, source)) : !(source in volumes),
  )
  expect(missing).toEqual([])
})

test('every image is pinned to a version, and every port is published on loopback', () => {
  for (const { image, ports } of Object.values(services)) {
    expect(image).toMatch(/:v?\d+\.\d+(\.\d+)*$/)
    for (const port of ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/)
  }
})

test('Plumbline’s settings are known ones, and its root is not writable', () => {
  const { environment, read_only, cap_drop } = services['plumbline']!
  const known = new Set(Object.keys(Config.properties))
  expect(Object.keys(environment!).filter((name) => !known.has(name))).toEqual([])
  expect({ read_only, cap_drop }).toEqual({ read_only: true, cap_drop: ['ALL'] })
})

test('every variable that has no default is in the example', () => {
  const needed = [...text('compose.yaml').matchAll(/\$\{(\w+):\?/g)].map((found) => found[1]!)
  const given = [...text('deploy/compose/env.example').matchAll(/^(\w+)=/gm)].map((one) => one[1]!)
  expect([...new Set(needed)].toSorted()).toEqual(given.toSorted())
})

test('Grafana has the data sources that its dashboard and rules name, and a contact point', () => {
  const { datasources } = yaml<{ datasources: { uid: string; type: string }[] }>(
    'deploy/compose/grafana/datasources.yaml',
  )
  const uids = datasources.map(({ uid }) => uid)
  expect(uids).toEqual(['plumbline-clickhouse', 'plumbline-prometheus'])
  const asked = [
    ...text('dashboards/generated/grafana-alerts.yaml').matchAll(/datasourceUid: (\S+)/g),
  ]
    .map((found) => found[1]!)
    .filter((uid) => uid !== '__expr__')
  expect(asked.filter((uid) => !uids.includes(uid))).toEqual([])
  const types = DASHBOARDS.flatMap((spec) => grafanaDashboard(spec).templating!.list!)
    .filter((variable) => variable.type === VariableType.Datasource)
    .map(({ query }) => query)
  expect(new Set(types)).toEqual(new Set(datasources.map(({ type }) => type)))
  const { policies, contactPoints } = yaml<{
    policies: { receiver: string }[]
    contactPoints: { name: string }[]
  }>('deploy/compose/grafana/contact-points.yaml')
  expect(policies.map(({ receiver }) => receiver)).toEqual(contactPoints.map(({ name }) => name))
})

test('Prometheus and Alertmanager take their files', () => {
  const run = (tool: string, ...args: string[]) => {
    try {
      return execFileSync(tool, args, { cwd: join(ROOT, 'deploy/compose'), encoding: 'utf8' })
    } catch (cause) {
      const { code, stdout } = cause as { code?: string; stdout?: string }
      if (code !== 'ENOENT') throw new Error(stdout, { cause })
      throw new Error(
        `${tool} is not installed (Debian: apt-get install prometheus prometheus-alertmanager)`,
        { cause },
      )
    }
  }
  expect(run('promtool', 'check', 'config', '--syntax-only', 'prometheus.yml')).toContain('SUCCESS')
  expect(run('amtool', 'check-config', 'alertmanager.yml')).toContain('SUCCESS')
  const { scrape_configs } = yaml<{ scrape_configs: { job_name: string }[] }>(
    'deploy/compose/prometheus.yml',
  )
  expect(text('dashboards/generated/prometheus-rules.yaml')).toContain(
    `job="${scrape_configs[0]!.job_name}"`,
  )
})
