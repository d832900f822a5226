/**
 * Uniform draws by mulberry32: the same for the same seed, on every machine.
 *
 * @param seed a whole number; its lower 32 bits count
 * @returns draws from [0, 1)
 * @example uniforms(1)() // => 0.6270739406
 */
export function uniforms(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
