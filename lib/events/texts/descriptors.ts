/** Features that are measured on the texts of a prediction. Pure. */
import {
  OVERLAP,
  TEXT_FIELDS,
  TEXT_MEASURES,
  type TextField,
} from '../../../schemas/language-models/descriptors.ts'
import { fieldGetter, FlatRecord, perShape, type PerShape } from '../flat-record.ts'
import { MEASURES, overlapOf, type Measured } from './text-measures.ts'

/** A feature that is measured on texts. */
export interface Descriptor {
  /** The name of the feature. */
  name: string
  /** Texts it needs; it is not measured on an event that lacks one. */
  needs: readonly TextField[]
  /** Its value, of the texts in the order of `needs`. */
  measure: (...texts: string[]) => Measured
}

/** The built-in descriptors by name. */
export const BUILT_IN: ReadonlyMap<string, Descriptor> = new Map(
  [
    ...TEXT_FIELDS.flatMap((field) =>
      TEXT_MEASURES.map((measure): Descriptor => ({
        name: `${field}.${measure}`,
        needs: [field],
        measure: (text) => MEASURES[measure](text),
      })),
    ),
    {
      name: OVERLAP,
      needs: ['input_text', 'output_text'] as const,
      measure: (input: string, output: string) => overlapOf(input, output),
    },
  ].map((descriptor) => [descriptor.name, descriptor]),
)

/** Adds what is measured to an event's features; the given event stays as it was. */
export type Describe = (event: FlatRecord) => FlatRecord

const textOf = { input_text: fieldGetter('input_text'), output_text: fieldGetter('output_text') }
const featuresOf = fieldGetter('features')

/**
 * Makes the function that adds descriptors to events.
 *
 * A feature that an event has under the name of a descriptor stays as the event has it, so that a
 * second time changes nothing.
 */
export function describing(descriptors: readonly Descriptor[]): Describe {
  if (descriptors.length === 0) return (event) => event
  const byTexts = [[], ['input_text'], ['output_text'], ['input_text', 'output_text']].map(
    (given) =>
      addingOf(descriptors.filter(({ needs }) => needs.every((field) => given.includes(field)))),
  )
  return (event) => {
    const input = textOf.input_text(event)
    const output = textOf.output_text(event)
    const given = (typeof input === 'string' ? 1 : 0) + (typeof output === 'string' ? 2 : 0)
    const adding = byTexts[given]!
    if (adding.descriptors.length === 0) return event
    return withFeatures(event, adding, {
      input_text: input as string,
      output_text: output as string,
    })
  }
}

/** Descriptors of events with the same texts, and what follows from the names of their features. */
interface Adding {
  descriptors: readonly Descriptor[]
  shapes: PerShape<{ names: readonly string[]; added: readonly Descriptor[] }>
  events: PerShape<{ names: readonly string[]; at: number }>
}

function addingOf(descriptors: readonly Descriptor[]): Adding {
  return {
    descriptors,
    shapes: perShape((names) => {
      const added = descriptors.filter(({ name }) => !names.includes(name))
      return { names: [...names, ...added.map(({ name }) => name)], added }
    }),
    events: perShape((names) => {
      const at = names.indexOf('features')
      return at === -1 ? { names: [...names, 'features'], at: names.length } : { names, at }
    }),
  }
}

const NONE = new FlatRecord([], [], true)

function withFeatures(
  event: FlatRecord,
  { shapes, events }: Adding,
  texts: Record<TextField, string>,
): FlatRecord {
  const own = (featuresOf(event) ?? NONE) as FlatRecord
  const { names, added } = shapes.of(own.names)
  if (added.length === 0) return event
  const measured = added.map(({ needs, measure }) => measure(...needs.map((field) => texts[field])))
  const isNumeric = own.numeric && measured.every((value) => typeof value === 'number')
  const shape = events.of(event.names)
  const values = [...event.values]
  values[shape.at] = new FlatRecord(names, [...own.values, ...measured], isNumeric)
  return new FlatRecord(shape.names, values, false)
}
