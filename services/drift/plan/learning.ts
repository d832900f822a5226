/**
 * What a baseline is learned from: the first windows of a model, or of a version that took over,
 * until there are as many as tell their noise. Pure.
 */
import type { EpisodeWindow } from './episodes.ts'
import { isBaseline, type Model } from '../../../lib/models/model-files.ts'
import { windowsHolding, type Window } from '../../../lib/models/windows.ts'
import { MIN_WINDOWS } from '../data/reference.ts'
import { renewalBefore, type Promotion } from './promotions.ts'
import { shorterWindows } from './shorter-windows.ts'
import type { PutReference } from './stored-references.ts'

/** A window that has been evaluated, as references see it. */
export interface PastWindow extends EpisodeWindow {
  events: number
  /** Some drift verdict of it is an alarm. */
  alarmed: boolean
}

/** What is known of a model besides its file. */
export interface Past {
  /** EvaluatedWindow windows, ascending by end. */
  windows: readonly PastWindow[]
  /** Spans of `first` references that were frozen earlier, by name. */
  frozen: ReadonlyMap<string, Window>
  /** Windows that a person called normal: they join the baseline. */
  accepted: readonly Window[]
  /** References made over HTTP; those of the model file come first. */
  put: Readonly<Record<string, PutReference>>
  /** When versions took over from one another, ascending. */
  promotions: readonly Promotion[]
  /** Why tables of the model file cannot be read, by name of the reference. */
  unread?: ReadonlyMap<string, string>
}

/** The name of the baseline that a promotion made. */
export const nameOfRenewed = ({ version }: Promotion) => `version ${version}`

/**
 * The last promotion before a window that took the place of the declared baseline; undefined where
 * that one still holds.
 */
export function renewalFor(window: Window, model: Model, past: Past): Promotion | undefined {
  const declared = Object.values(model.references).find(isBaseline)
  if (!declared || declared.on_promotion === 'keep' || declared.kind === 'since_promotion')
    return undefined
  const renewal = renewalBefore(
    window,
    past.promotions,
    MIN_WINDOWS,
    ({ start, end }) =>
      completeApart(model, past.windows, MIN_WINDOWS, (p) => p.start >= start && p.end <= end)
        .length,
  )
  if (!renewal) return undefined
  // What the model file declares of this version, or of a time after its promotion, is its
  // baseline.
  const isOfVersion =
    renewal.version === declared.model_version || Date.parse(declared.to ?? '') > renewal.at
  return isOfVersion ? undefined : renewal
}

/** What a baseline still learns when a window is evaluated. */
export interface LearningState {
  /** Which of its windows this one is, counted from 1. */
  window: number
  /** Windows that the baseline learns from. */
  of: number
  /**
   * Windows before a promoted version, which its performance is compared with meanwhile.
   */
  before: { name: string; spans: Window[] } | undefined
  /**
   * Size of the shorter windows that tell the noise meanwhile; absent where learning does not take
   * long, or too little of it has passed.
   */
  shorter?: string
}

/**
 * Whether a window's baseline is still being learned: verdicts that need one are then given by
 * none.
 */
export function learningAt(window: Window, model: Model, past: Past): LearningState | undefined {
  // Fixed lines need no noise between windows.
  if (model.hasFixedLines) return undefined
  const renewal = renewalFor(window, model, past)
  const found = Object.entries(model.references).find(([, one]) => isBaseline(one))
  const declared = found?.[1]
  if (renewal) {
    const spans = completeApart(
      model,
      past.windows.toReversed(),
      MIN_WINDOWS,
      (p) => p.end <= renewal.at,
    )
    const before = { name: `before ${nameOfRenewed(renewal)}`, spans: spans.toReversed() }
    return learningSince(renewal.at, window, { of: MIN_WINDOWS, model, past, before })
  }
  const of = declared?.windows ?? MIN_WINDOWS
  if (declared?.kind === 'since_promotion') {
    const promoted = promotionBefore(window, past)
    // The window in which a version came is not one of its own.
    const at = Math.min(promoted?.at ?? window.start, window.start)
    return learningSince(at, window, { of, model, past })
  }
  const frozen = past.frozen.get(found?.[0] ?? '')
  if (declared?.kind !== 'first' || of === 1 || (frozen && !overlaps(frozen, window)))
    return undefined
  return learningSince(-Infinity, window, { of, model, past })
}

interface LearningQuestion {
  of: number
  model: Model
  past: Past
  before?: LearningState['before']
}

function learningSince(
  at: number,
  window: Window,
  question: LearningQuestion,
): LearningState | undefined {
  const { of, before } = question
  const learned = learnedBefore(window, at, question).length
  if (learned >= of) return undefined
  const start = shorterWindows(question.model, of)
  const shorter = start && learned >= start.after ? { shorter: start.size } : {}
  return { window: learned + 1, of, before, ...shorter }
}

/**
 * The first complete windows from an instant on that end before a window; those that a baseline
 * learns from.
 */
export const learnedBefore = (window: Window, at: number, { of, model, past }: LearningQuestion) =>
  completeApart(model, past.windows, of, (p) => p.start >= at && p.end <= window.start)

/** The first `most` complete windows of which no two overlap, in the order given. */
export function completeApart(
  model: Model,
  windows: readonly PastWindow[],
  most: number,
  isMeant: (window: PastWindow) => boolean,
): Window[] {
  const chosen: Window[] = []
  for (const p of windows) {
    if (chosen.length === most) break
    if (p.events < model.windows.min_count || !isMeant(p) || !isAligned(p, model)) continue
    chosen.push({ start: p.start, end: p.end })
  }
  return chosen
}

/** Tells whether a hopping window lies beside the others by which a reference is read. */
const isAligned = ({ start, end }: Window, { windows: { size, slide, timezone } }: Model) =>
  slide === undefined ||
  windowsHolding({ size, timezone }, [start]).some((own) => own.start === start && own.end === end)

/** Whether two half-open spans share an instant. */
export const overlaps = (a: Window, b: Window) => a.start < b.end && b.start < a.end

/** The last promotion before the end of a window; undefined where there was none. */
export const promotionBefore = (window: Window, { promotions }: Past) =>
  promotions.findLast(({ at }) => at < window.end)
