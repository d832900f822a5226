/** What alert episodes have in common, how they ended, and what accepting one does. Pure. */
import type { AcceptPreview, EpisodeSummary } from '../../../schemas/http/episodes.ts'
import type { Window } from '../../../lib/models/windows.ts'

/** What alarmed. */
export interface What {
  family: string
  metric: string
  subject: string
}

/** An episode as windows tell it; times are RFC 3339. */
export interface EpisodeSpan {
  episode_id: string
  /** Start of its first window. */
  window_start: string
  first_end: string
  until: string
  windows: number
  severity: 'alarm' | 'warning'
  /** When its first window was evaluated first. */
  computed_at: string
}

/** An episode with what alarmed and what people said of it. */
export interface KnownEpisode extends EpisodeSpan {
  alarms: What[]
  /** The last answer that is no snooze. */
  decision: 'accept' | 'dismiss' | undefined
  isActive: boolean
}

/** Similar episodes of one answer. */
const MAX_SIMILAR = 5

/** The id of an episode is the model's and the end of its first window. */
export const episodeIdOf = (modelId: string, firstEnd: number): string =>
  `${modelId}/${new Date(firstEnd).toISOString()}`

/** The end of the first window, as the id of an episode of this model has it. */
const episodeName = (modelId: string, episodeId: string): string =>
  episodeId.slice(modelId.length + 1)

/** An episode in short. */
export function summaryOf(modelId: string, episode: KnownEpisode): EpisodeSummary {
  const { episode_id, until, windows, severity, alarms } = episode
  const name = episodeName(modelId, episode_id)
  return {
    episode_id,
    episode: name,
    since: name,
    until,
    windows,
    severity,
    ended: endOf(episode),
    alarms,
  }
}

function endOf({ isActive, decision }: KnownEpisode): EpisodeSummary['ended'] {
  if (isActive) return 'active'
  if (decision === undefined) return 'by itself'
  return decision === 'accept' ? 'accepted' : 'dismissed'
}

const nameOf = ({ family, metric, subject }: What) => [family, metric, subject].join('\u0001')

/** Episodes that share alarms with one: the greatest share of all alarms of both first. */
export function similarTo<T extends { alarms: readonly What[] }>(
  { alarms }: { alarms: readonly What[] },
  others: readonly T[],
): (T & { shared: number })[] {
  const own = new Set(alarms.map(nameOf))
  return others
    .map((other) => {
      const shared = other.alarms.filter((what) => own.has(nameOf(what))).length
      return { other, shared, alike: shared / (own.size + other.alarms.length - shared) }
    })
    .filter(({ shared }) => shared > 0)
    .toSorted((a, b) => b.alike - a.alike)
    .slice(0, MAX_SIMILAR)
    .map(({ other, shared }) => ({ ...other, shared }))
}

/** Spans that are new to a baseline once windows have joined it. */
export const joinedSpans = (before: readonly Window[], after: readonly Window[]): Window[] =>
  after.filter(({ start, end }) => !before.some((span) => span.start === start && span.end === end))

const plural = (n: number, what: string) => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`

/** What accepting does, in a sentence without a full stop. */
export function previewInWords({
  baseline,
  windows,
  events,
  baseline_events: known,
}: Omit<AcceptPreview, 'says'>): string {
  if (baseline === null)
    return 'The model has no baseline yet: the alarms end, and the windows join once there is one'
  if (windows === 0)
    return `No window joins ${baseline}: each is part of it already, or overlaps it; the alarms end`
  const after = known + events
  const share = after === 0 ? '' : `, ${Math.round((100 * events) / after)} % of it from then on`
  return `${plural(windows, 'window')} with ${plural(events, 'event')} ${windows === 1 ? 'joins' : 'join'} ${baseline}, which has ${plural(known, 'event')}${share}: values like these alarm no more`
}
