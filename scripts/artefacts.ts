/** Every file that is made from code and committed; a test fails when one is stale. */
import type { TObject, TSchema } from 'typebox'
import { alertRules } from '../dashboards/alert-rules.ts'
import { grafanaAlerts } from '../dashboards/grafana-alerts.ts'
import { DASHBOARDS, grafanaDashboard } from '../dashboards/grafana-dashboards.ts'
import { AttributesV1 } from '../schemas/events/attributes.v1.ts'
import { LabelV1 } from '../schemas/events/label.v1.ts'
import { PredictionV1 } from '../schemas/events/prediction.v1.ts'
import { RetrainV1 } from '../schemas/events/retrain.v1.ts'
import { VerdictV1 } from '../schemas/events/verdict.v1.ts'
import { ModelFile } from '../schemas/model.ts'
import { PlatformConfig } from '../lib/platform/platform-config.ts'
import { AlertsConfig } from '../services/alerts/config.ts'
import { DriftConfig } from '../services/drift/config.ts'
import { FeedbackConfig } from '../services/feedback/config.ts'
import { IngestConfig } from '../services/ingest/config.ts'
import { KeepConfig } from '../services/keep/config.ts'
import { RetrainConfig } from '../services/retrain-trigger/config.ts'
import { avroOf } from './avro.ts'
import { helmValuesSchema } from './helm-values.ts'

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
const jsonSchema = (schema: TSchema) =>
  json({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...schema })

/** Paths from the root of the project, with what belongs there. */
export function artefacts(): Map<string, string> {
  return new Map([
    ['schemas/json/prediction.v1.json', jsonSchema(PredictionV1)],
    ['schemas/json/label.v1.json', jsonSchema(LabelV1)],
    ['schemas/json/attributes.v1.json', jsonSchema(AttributesV1)],
    ['schemas/json/verdict.v1.json', jsonSchema(VerdictV1)],
    ['schemas/json/retrain.v1.json', jsonSchema(RetrainV1)],
    ['schemas/json/model.json', jsonSchema(ModelFile)],
    ['schemas/avro/prediction.v1.avsc', json(avroOf('prediction', PredictionV1))],
    ['schemas/avro/label.v1.avsc', json(avroOf('label', LabelV1))],
    ['schemas/avro/attributes.v1.avsc', json(avroOf('attributes', AttributesV1))],
    ['docs/configuration.md', configurationPage()],
    ...DASHBOARDS.map((spec): [string, string] => [
      `dashboards/generated/grafana/${spec.uid}.json`,
      json(grafanaDashboard(spec)),
    ]),
    ['dashboards/generated/grafana-alerts.yaml', grafanaAlerts()],
    ['dashboards/generated/prometheus-rules.yaml', alertRules()],
    // A chart holds all its files itself.
    ['deploy/helm/plumbline/files/prometheus-rules.yaml', alertRules()],
    ['deploy/helm/plumbline/values.schema.json', json(helmValuesSchema())],
  ])
}

function configurationPage(): string {
  const sections: [string, TObject][] = [
    ['Every target', PlatformConfig],
    ['ingest', IngestConfig],
    ['drift', DriftConfig],
    ['feedback', FeedbackConfig],
    ['retrain-trigger', RetrainConfig],
    ['alerts (`all` and `retrain-trigger`)', AlertsConfig],
    ['keep (`all` and `feedback`)', KeepConfig],
  ]
  return [
    '# Configuration',
    '',
    'All of it comes from the environment. `npm start -- --target=all --check-config` checks it, the key file and the model files as a start does, prints every problem at once and exits 0 or 1; a variable that begins with `PLUMBLINE_` and is no setting is one. `--help` lists targets and arguments.',
    'This page is made by `npm run emit` from the definitions in `lib/platform/platform-config.ts` and `services/*/config.ts`.',
    '',
    ...sections.flatMap(([title, schema]) => [
      `## ${title}`,
      '',
      '| variable | range | default | |',
      '| --- | --- | --- | --- |',
      ...Object.entries(schema.properties).map(([name, property]) => row(name, property as Facts)),
      '',
    ]),
  ].join('\n')
}

interface Facts {
  type?: string
  enum?: string[]
  pattern?: string
  minimum?: number
  maximum?: number
  default?: string | number
  description?: string
}

function row(name: string, facts: Facts): string {
  const range =
    facts.enum?.join(', ') ??
    (facts.minimum !== undefined
      ? `${facts.minimum} to ${facts.maximum ?? '…'}`
      : (facts.type ?? ''))
  return `| \`${name}\` | ${range} | ${facts.default === undefined ? 'unset' : `\`${facts.default}\``} | ${facts.description ?? ''} |`
}
