/** From a label on the wire to its row, or to the reason why it has none. */
import { wireMapping } from '../../lib/wire-mapping.ts'
import { LabelV1 } from '../../schemas/events/label.v1.ts'

/** Newest first. A release that changes what a message becomes adds a mapping and keeps the one before it. */
export const LABEL_MAPPINGS = [wireMapping('labels-1', LabelV1)] as const
