export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export interface Measured {
  wallPerSecond: number
  cpuPerSecond: number
}

/**
 * Events a second of wall time, and of this process' CPU time. The clock starts at the first `begin`, when the first batch is
 * at hand, so that joining a consumer group is in none of the figures.
 */
export async function measured(
  events: number,
  run: (begin: () => void) => Promise<void>,
): Promise<Measured> {
  let cpu = process.cpuUsage()
  let begun = performance.now()
  let running = false
  await run(() => {
    if (running) return
    running = true
    cpu = process.cpuUsage()
    begun = performance.now()
  })
  const wall = (performance.now() - begun) / 1000
  const used = process.cpuUsage(cpu)
  return { wallPerSecond: events / wall, cpuPerSecond: events / ((used.user + used.system) / 1e6) }
}
