/** The Helm chart: rendered, held against Kubernetes' schemas, and what it must say. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { TARGETS } from '../../targets.ts'
import { ROOT } from '../servers/processes.ts'
import { kubernetesSchemas } from './kubernetes-schemas.ts'

const CHART = join(ROOT, 'deploy/helm/plumbline')
/**
 * The oldest Kubernetes that the chart allows, one in use, and the newest whose schemas are there.
 */
const VERSIONS = ['1.30.0', '1.34.0', '1.37.0']
const EVERYTHING = [
  ...['serviceMonitor.enabled=true', 'prometheusRule.enabled=true'],
  ...['ingest', 'drift'].map((name) => `targets.${name}.autoscaling.enabled=true`),
  ...['secretFiles={kafka-tls}', 'targets.ingest.config.PLUMBLINE_LOG_LEVEL=warn'],
].flatMap((value) => ['--set', value])
const INSTALL = {
  helm: 'go install helm.sh/helm/v3/cmd/helm@v3.22.0',
  kubeconform: 'go install github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0',
}

/** Runs a tool; its standard output, and its errors where it fails. */
function runTool(tool: keyof typeof INSTALL, args: readonly string[], input = '') {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { encoding: 'utf8', input })
  if (error) throw new Error(`${tool} is not installed (${INSTALL[tool]})`, { cause: error })
  return { ok: status === 0, output: stdout, errors: stderr }
}

const render = (...args: string[]) =>
  runTool('helm', ['template', 'plumbline', CHART, '--kube-version', VERSIONS[1]!, ...args])

interface Resource {
  kind: string
  metadata: { name: string; annotations?: Record<string, string> }
  spec: Record<string, unknown>
}
const resources = (yaml: string) =>
  parseAllDocuments(yaml).flatMap((document) => (document.toJS() as Resource | null) ?? [])

let schemas = ''
beforeAll(() => {
  schemas = kubernetesSchemas()
})

test('helm finds nothing wrong', () => {
  const { ok, output } = runTool('helm', ['lint', '--strict', CHART])
  expect(output).toContain('0 chart(s) failed')
  expect(ok).toBe(true)
})

test.each(VERSIONS)('every resource is one of Kubernetes %s', (version) => {
  for (const values of [[], EVERYTHING]) {
    const rendered = render(...values)
    expect(rendered.errors).toBe('')
    const { ok, output } = runTool(
      'kubeconform',
      [
        ...['-strict', '-summary', '-kubernetes-version', version],
        // Their schemas come with Prometheus' operator.
        ...['-skip', 'ServiceMonitor,PrometheusRule', '-schema-location', schemas, '-'],
      ],
      rendered.output,
    )
    expect(output).toMatch(/Invalid: 0, Errors: 0/)
    expect(output).not.toMatch(/Valid: 0,/)
    expect(ok).toBe(true)
  }
})

test('kubeconform refuses what is none', () => {
  const broken = render().output.replace(
    'terminationGracePeriodSeconds: 60',
    'terminationGrace: 60',
  )
  const { ok } = runTool(
    'kubeconform',
    ['-strict', '-kubernetes-version', VERSIONS[1]!, '-schema-location', schemas, '-'],
    broken,
  )
  expect(ok).toBe(false)
})

test('each target has a Deployment that runs without root on a root that is not writable', () => {
  const deployments = resources(render().output).filter(({ kind }) => kind === 'Deployment')
  const alone = TARGETS.filter((target) => target !== 'all' && target !== 'stores')
  expect(deployments.map(({ metadata }) => metadata.name).toSorted()).toEqual(
    alone.map((target) => `plumbline-${target}`).toSorted(),
  )
  for (const { spec } of deployments) {
    const pod = (spec['template'] as { spec: PodSpec }).spec
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10001 })
    for (const container of pod.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      for (const probe of [container.startupProbe, container.livenessProbe])
        expect(probe.httpGet.path).toBe('/health/live')
      expect(container.readinessProbe.httpGet.path).toBe('/health/ready')
    }
  }
})

interface Probe {
  httpGet: { path: string }
}
interface PodSpec {
  securityContext: object
  volumes: object[]
  containers: {
    volumeMounts: object[]
    securityContext: object
    startupProbe: Probe
    livenessProbe: Probe
    readinessProbe: Probe
    env: { name: string; value?: string; valueFrom?: object }[]
  }[]
}

test('model and source files are mounted where the image looks for them', () => {
  const image = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
  const files = ['--set', 'sources.shop\\.yaml=source: shop', '--set', 'modelsConfigMap=of-mine']
  const all = resources(render(...files).output)
  const maps = all.filter(({ kind }) => kind === 'ConfigMap')
  expect(maps).toMatchObject([
    { metadata: { name: 'plumbline-sources' }, data: { 'shop.yaml': 'source: shop' } },
  ])
  for (const { kind, spec } of all) {
    if (kind !== 'Deployment') continue
    const { volumes, containers } = (spec['template'] as { spec: PodSpec }).spec
    for (const [name, map] of [
      ['models', 'of-mine'],
      ['sources', 'plumbline-sources'],
    ] as const) {
      expect(image).toContain(`PLUMBLINE_${name.toUpperCase()}_DIR=/${name}`)
      expect(volumes).toContainEqual({ name, configMap: { name: map } })
      const mount = { name, mountPath: `/${name}`, readOnly: true }
      expect(containers[0]!.volumeMounts).toContainEqual(mount)
    }
  }
})

test('each target has a budget of disruptions, a network policy and a Service; scaling goes by lag', () => {
  const all = resources(render(...EVERYTHING).output)
  const named = (kind: string) =>
    all.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name)
  for (const target of ['ingest', 'drift', 'feedback', 'retrain-trigger'])
    for (const kind of ['PodDisruptionBudget', 'NetworkPolicy', 'Service'])
      expect(named(kind)).toContain(`plumbline-${target}`)
  const scalers = all.filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
  expect(scalers.map(({ spec }) => spec['metrics'])).toMatchObject([
    [{ external: { metric: { name: 'plumbline_consumer_lag' } } }],
    [{ external: { metric: { name: 'plumbline_consumer_lag' } } }],
  ])
  expect(named('ServiceMonitor')).toEqual(['plumbline'])
  const [rules] = all.filter(({ kind }) => kind === 'PrometheusRule')
  expect(rules?.spec).toHaveProperty('groups')
})

test('the migration comes before an install and an upgrade', () => {
  const [job] = resources(render().output).filter(({ kind }) => kind === 'Job')
  expect(job?.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'pre-install,pre-upgrade' })
})

test('no secret is in what is rendered: settings that are secret are references', () => {
  const rendered = render().output
  expect(resources(rendered).some(({ kind }) => kind === 'Secret')).toBe(false)
  for (const { spec, kind } of resources(rendered)) {
    if (kind !== 'Deployment') continue
    const [container] = (spec['template'] as { spec: PodSpec }).spec.containers
    for (const { name, value, valueFrom } of container!.env)
      if (/PASSWORD|SECRET|POSTGRES_URL/.test(name)) {
        expect(value).toBeUndefined()
        expect(valueFrom).toHaveProperty('secretKeyRef')
      }
  }
})

test.each([
  ['config.PLUMBLINE_KAFKA_BROKER=kafka:9092', 'PLUMBLINE_KAFKA_BROKER'],
  ['config.PLUMBLINE_CLICKHOUSE_PASSWORD=secret', 'PLUMBLINE_CLICKHOUSE_PASSWORD'],
  ['targets.ingest.replica=3', 'replica'],
  ['targets.ingests.replicas=3', 'ingests'],
  ['targets.drift.replicas=many', 'replicas'],
])('a wrong value ends in a sentence that names it: %s', (value, name) => {
  const { ok, errors } = render('--set', value)
  expect(ok).toBe(false)
  expect(errors).toContain(name)
})
