/** What logs say of drops, of however many models. */
import type { Drop } from './due-drops.ts'

/** Drops that one entry of the audit log names, and models of one of them. */
const MOST_DROPS = 200
const MOST_MODELS = 20

/** What the audit log says of drops: all of them in sum, and by name as many as one entry may hold. */
export const toldDrops = (drops: readonly Drop[]) => ({
  drops: drops.slice(0, MOST_DROPS).map(toldDrop),
  drops_in_all: drops.length,
  rows_in_all: drops.reduce((sum, { rows }) => sum + rows, 0),
})

/** A drop as logs tell it: the first models by name, and how many there are. */
export const toldDrop = ({ models, ...drop }: Drop) => ({
  ...drop,
  models: models?.slice(0, MOST_MODELS) ?? 'all',
  ...(models && models.length > MOST_MODELS && { models_in_all: models.length }),
})
