/**
 * What messages say: texts in which `{{name}}` stands for a value of the alert. A value is put in
 * once and never read again, so one that looks like a place stays what it is.
 */
import { didYouMean } from '../../../lib/runtime/nearest-name.ts'
import type { Templates } from '../../../schemas/alerts-file.ts'

/** What a template may name. */
export const ALERT_NAMES = [
  'model',
  'headline',
  'details',
  'kind',
  'severity',
  'status',
  'since',
  'count',
  'owner',
  'team',
  'environment',
  'page',
  'report',
  'runbook',
] as const
/** The values of an alert by the names that templates use; '' for one it lacks. */
export type AlertValues = Readonly<Record<(typeof ALERT_NAMES)[number], string>>

/** What messages say where nothing else is written. */
export const DEFAULT_TEMPLATES: Required<Templates> = {
  title: '{{status}}: {{model}}: {{headline}}',
  text: '{{details}}',
}

const PLACE = /\{\{\s*([^{}]*?)\s*\}\}/g

/** Every problem of templates, as sentences that begin with `key`. */
export const templateProblems = (templates: Templates | undefined, key: string): string[] =>
  Object.entries(templates ?? {}).flatMap(([field, text]) => [
    ...[...text.matchAll(PLACE)].flatMap(([, name = '']) =>
      (ALERT_NAMES as readonly string[]).includes(name)
        ? []
        : [
            `${key}.${field} names {{${name}}}${didYouMean(name, ALERT_NAMES)}: there are ${ALERT_NAMES.join(', ')}`,
          ],
    ),
    ...(/\{\{|\}\}/.test(text.replaceAll(PLACE, ''))
      ? [`${key}.${field} has braces that belong to no {{name}}`]
      : []),
    ...(text.includes('secret://')
      ? [`${key}.${field} may hold no secret: messages are kept and read by many`]
      : []),
  ])

/** A template with the values of an alert. */
export const filledText = (template: string, values: AlertValues): string =>
  template.replaceAll(PLACE, (_, name: keyof AlertValues) => values[name])
