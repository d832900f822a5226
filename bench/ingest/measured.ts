export interface Measured {
  wallPerSecond: number
  cpuPerSecond: number
}

/**
 * Events a second of wall time, and of this process' CPU time: from before anything joins to when
 * all of it is stored, the same clock for everyone.
 */
export async function measured(events: number, run: () => Promise<void>): Promise<Measured> {
  const cpu = process.cpuUsage()
  const begun = performance.now()
  await run()
  const wall = (performance.now() - begun) / 1000
  const used = process.cpuUsage(cpu)
  return { wallPerSecond: events / wall, cpuPerSecond: events / ((used.user + used.system) / 1e6) }
}
