import { pino, type Logger } from 'pino'

/** A logger of pino. */
export type { Logger }

/**
 * Structured logs on standard error: a constant message, values in fields, never a secret or an
 * event's values.
 */
export function createLog(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 2, sync: false }),
  )
}
