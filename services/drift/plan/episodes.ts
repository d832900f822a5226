/**
 * Alarms of one model in windows that follow one another are one episode: it is what pages people,
 * and what the budget counts. It lasts until two windows in a row are calm. Pure.
 */
import type { Window } from '../../../lib/models/windows.ts'
import type { MetricResult } from '../data/metric-results.ts'

/** The gravest verdict of a window, over everything that is evaluated of the model as a whole. */
export type Worst = 'alarm' | 'warning' | 'ok' | 'incomplete'

/** An evaluated window, as later ones see it. */
export interface EpisodeWindow extends Window {
  worst: Worst
  /** '' where it is in none. */
  episode: string
}

const CALM_WINDOWS = 2

/** The most severe verdict among results; `incomplete` where none is evaluated. */
export function worstOf(results: readonly MetricResult[]): Worst {
  const verdicts = new Set(results.map((result) => result.verdict))
  return (
    (['alarm', 'warning', 'ok'] as const).find((verdict) => verdicts.has(verdict)) ?? 'incomplete'
  )
}

/**
 * The episode a window belongs to: the one that is open, else a new one if it alarms, else '' for
 * none. A warning alone opens none.
 *
 * @param past evaluated windows of the model, ascending by end
 */
export function episodeOf(
  window: Window,
  worst: Worst,
  modelId: string,
  past: readonly EpisodeWindow[],
): string {
  if (worst !== 'alarm' && worst !== 'warning') return ''
  const open = openEpisode(window, past)
  return open ?? (worst === 'alarm' ? `${modelId}/${new Date(window.end).toISOString()}` : '')
}

function openEpisode({ end }: Window, past: readonly EpisodeWindow[]): string | undefined {
  let calm = 0
  for (let i = past.length - 1; i >= 0; i--) {
    const before = past[i]!
    if (before.end >= end) continue
    if (before.episode !== '') return before.episode
    // Too little data says nothing either way.
    if (before.worst !== 'incomplete' && ++calm === CALM_WINDOWS) return undefined
  }
  return undefined
}
