/** How old what a model sent is. */

/**
 * How far a model has come, epoch milliseconds; `newestWindow` is the end of its newest evaluated
 * window.
 */
export interface ModelAge {
  modelId: string
  newestEvent: number | undefined
  newestWindow: number | undefined
}
