/**
 * Which models' policies are to be asked next: those that were named, those with windows evaluated
 * since their policies were asked, and, seldom, those whose policies count labels. A model without
 * news costs nothing. Pure.
 */

/** Models whose policies are to be asked. */
export interface DueModels {
  /** The model is to be asked in the next round, whatever is known of it. */
  want: (modelId: string) => void
  /** What a look has found: how many revisions of windows each model has, which only grows. */
  found: (revisions: ReadonlyMap<string, number>) => void
  /** Models to ask now, each once; what is wanted again meanwhile is for the next round. */
  take: () => string[]
  /** All policies of the model have answered for what was known when it was taken. */
  answered: (modelId: string) => void
  /** Whether anything is wanted. */
  isIdle: () => boolean
}

/** Makes the list of a process that knows of no model yet. */
export function dueModels(): DueModels {
  const wanted = new Set<string>()
  const known = new Map<string, number>()
  /** What was known of models when they were taken, and of those whose policies have answered. */
  const taken = new Map<string, number | undefined>()
  const settled = new Map<string, number>()
  return {
    want: (modelId) => void wanted.add(modelId),
    found: (revisions) => {
      for (const [modelId, count] of revisions) {
        known.set(modelId, count)
        if (settled.get(modelId) !== count) wanted.add(modelId)
      }
    },
    take: () => {
      const asked = Array.from(wanted)
      wanted.clear()
      for (const modelId of asked) taken.set(modelId, known.get(modelId))
      return asked
    },
    answered: (modelId) => {
      const count = taken.get(modelId)
      if (count !== undefined) settled.set(modelId, count)
    },
    isIdle: () => wanted.size === 0,
  }
}
