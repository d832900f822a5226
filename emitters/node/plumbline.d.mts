export interface EmitterOptions {
  url: string
  feedbackUrl?: string
  key?: string
  maxQueueBytes?: number
  batchSize?: number
  batchBytes?: number
  flushIntervalMs?: number
  timeoutMs?: number
  onError?: (message: string) => void
}

export interface EmitterStats {
  emitted: number
  accepted: number
  rejected: number
  dropped: number
  invalid: number
  retries: number
  waiting: number
  waitingBytes: number
}

export interface Emitter {
  predict: (event: Record<string, unknown>) => string
  label: (event: Record<string, unknown>) => void
  flush: (options?: { timeoutMs?: number }) => Promise<void>
  close: (options?: { timeoutMs?: number }) => Promise<void>
  stats: () => EmitterStats
}

export function createEmitter(options: EmitterOptions): Emitter

export interface FeedbackClaims {
  model_id: string
  prediction_id: string
  names: readonly string[]
  exp: number
}

export function feedbackToken(claims: FeedbackClaims, key: string): string
