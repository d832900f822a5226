/** What the values of the Helm chart may be, made from the targets and settings there are. */
import { Config, TARGETS } from '../targets.ts'

/** Settings whose value is secret: the chart takes references to them alone. */
const SECRET = /PASSWORD$|SECRET$|TOKEN$|POSTGRES_URL$/
/** Settings the image or the chart itself sets. */
const OWN = new Set([
  'PLUMBLINE_HTTP_HOST',
  'PLUMBLINE_HTTP_PORT',
  'PLUMBLINE_DATA_DIR',
  'PLUMBLINE_MODELS_DIR',
  'PLUMBLINE_SOURCES_DIR',
  'PLUMBLINE_AUTH_FILE',
  // Probes and the ServiceMonitor of the chart ask in plain HTTP.
  'PLUMBLINE_TLS_CERT_FILE',
  'PLUMBLINE_TLS_KEY_FILE',
])

const closed = (properties: object, required: string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
})
const string = { type: 'string' }
const boolean = { type: 'boolean' }
const anything = { type: 'object' }
const count = { type: 'integer', minimum: 0 }
const ports = { type: 'array', items: { type: 'integer', minimum: 1, maximum: 65535 } }
const list = (items: object) => ({ type: 'array', items })
const quantity = { type: 'string', pattern: '^[0-9]+(Mi|Gi|Ti)$' }
const labels = { type: 'object', additionalProperties: string }
const keyOfSecret = closed({ name: string, key: string }, ['name', 'key'])

/**
 * A pattern of names that do not begin with a prefix. Helm's expressions cannot look ahead, so each
 * letter at which a name may part from the prefix is an alternative.
 */
function beginningOtherwise(prefix: string): string {
  const parts = Array.from(prefix, (letter, i) => `${prefix.slice(0, i)}(?:$|[^${letter}])`)
  return `^(?:${parts.join('|')})`
}

/**
 * The chart's `values.schema.json`: helm refuses a value that is not of it, and names it.
 *
 * @returns a JSON Schema of draft 7, which helm reads
 */
export function helmValuesSchema(): object {
  const names = Object.keys(Config.properties).filter((name) => !OWN.has(name))
  const settings = closed(
    Object.fromEntries(
      names
        .filter((name) => !SECRET.test(name))
        .map((name) => [name, { type: ['string', 'integer'] }]),
    ),
  )
  const target = closed({
    replicas: count,
    config: settings,
    resources: anything,
    scratch: quantity,
    autoscaling: closed({
      enabled: boolean,
      minReplicas: { type: 'integer', minimum: 1 },
      maxReplicas: { type: 'integer', minimum: 1 },
      metric: string,
      topic: string,
      lagPerReplica: { type: 'integer', minimum: 1 },
    }),
  })
  const alone = TARGETS.filter((name) => name !== 'all' && name !== 'stores')
  const scraped = { enabled: boolean, labels }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...closed({
      // Helm's own, of charts that hold this one.
      global: anything,
      image: closed({
        repository: string,
        tag: string,
        pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] },
      }),
      imagePullSecrets: list(anything),
      config: settings,
      secrets: {
        ...closed(Object.fromEntries(names.map((name) => [name, keyOfSecret]))),
        // What files name as secret://env/NAME; no setting that there is not.
        patternProperties: { [beginningOtherwise('PLUMBLINE_')]: keyOfSecret },
      },
      auth: keyOfSecret,
      secretFiles: list(string),
      models: labels,
      modelsConfigMap: string,
      sources: labels,
      sourcesConfigMap: string,
      targets: closed(Object.fromEntries(alone.map((name) => [name, target]))),
      migrate: closed({ enabled: boolean, resources: anything }),
      podDisruptionBudget: closed({ enabled: boolean }),
      networkPolicy: closed({
        enabled: boolean,
        from: list(anything),
        metricsFrom: list(anything),
        storePorts: ports,
        webhookPorts: ports,
      }),
      serviceMonitor: closed({ ...scraped, interval: string }),
      prometheusRule: closed(scraped),
      podAnnotations: labels,
      nodeSelector: labels,
      tolerations: list(anything),
      affinity: anything,
    }),
  }
}
