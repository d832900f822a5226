const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/**
 * Milliseconds of a duration such as `15m`, `1h` or `7d`.
 * @throws {RangeError} for anything else
 */
export function durationMs(text: string): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? []
  if (!count || !unit) throw new RangeError(`${text} is not a duration such as 15m, 1h or 7d`)
  return Number(count) * UNITS[unit as keyof typeof UNITS]
}
