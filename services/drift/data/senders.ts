/** Who sends what of a model: producers, topics of predictions, sources of labels. */

/** `source`: the topic that predictions come by; `label_source`: the source of labels. */
export type SenderKind = 'producer' | 'source' | 'label_source'

/** What one sender sent in a window and before it. */
export interface Sender {
  kind: SenderKind
  name: string
  /** Events of the window, or of the day up to its end for labels of shorter windows. */
  now: number
  /** Events of the windows before, newest first, from its first event to its newest. */
  usual: readonly number[]
  /** Its newest event before the end of the window, epoch milliseconds. */
  newest: number
  /** Windows in a row, this one included, in which the model had events and this sender none. */
  silentWindows: number
}

/** The senders of a window. */
export interface Senders {
  senders: readonly Sender[]
  /** Producers with events in the window whose first event is no older than that of those told. */
  joined: number
}
