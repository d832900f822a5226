/** The settings of a model as they are in force, with what each means in words. Pure. */
import type { Model } from '../../../../lib/models/model-files.ts'
import { answersOf, windowsOf } from './answers-and-windows.ts'
import { alarmsOf, labelsOf, referencesOf } from './labels-and-alarms.ts'
import { cohortsOf, ownMetricsOf, peopleOf } from './parts-and-people.ts'
import type { Said } from './said.ts'

/** One setting, by its name in the model file. */
export interface SettingInWords {
  setting: string
  /** As the model file would have it; null where it is not set and has no default. */
  value: unknown
  /** Whether the model file does not name it. */
  is_default: boolean
  /** What it means, as a sentence. */
  says: string
}

/** Settings that belong together. */
export interface SettingsSection {
  section: string
  settings: SettingInWords[]
}

/** Settings that have several names in a model file, any of which sets them. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  owner: ['owner', 'team', 'environment', 'alert_labels'],
  slices: ['slices', 'cohorts.pairs', 'cohorts.where'],
}

/**
 * Every setting of a model that a reader may see: launches are left out, since they may hold
 * addresses.
 */
export function settingsInWords(model: Model): SettingsSection[] {
  const isNamed = (setting: string) =>
    (NAMES[setting] ?? [setting]).some((name) => model.named.has(name))
  const sections: [string, Said[]][] = [
    ['What it answers', answersOf(model)],
    ['Windows', windowsOf(model)],
    ['Labels', labelsOf(model)],
    ['What windows are compared with', referencesOf(model)],
    ['Alarms', alarmsOf(model)],
    ['Parts and inputs', cohortsOf(model)],
    ['Metrics and features', ownMetricsOf(model)],
    ['People, policies and data', peopleOf(model)],
  ]
  return sections.map(([section, settings]) => ({
    section,
    settings: settings.map(([setting, value, says]) => ({
      setting,
      value,
      is_default: !isNamed(setting),
      says,
    })),
  }))
}
