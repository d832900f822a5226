/** What verdicts look like, as paths of 16 by 16. */

/** Shapes differ as colours do: a square, a triangle, a ring, a disc, a dash. */
export const SHAPES = {
  alarm: 'M8 1 15 8 8 15 1 8Z',
  warning: 'M8 2 15 14H1Z',
  incomplete: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2Zm0 2.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7Z',
  ok: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2Z',
  none: 'M2 6.5h12v3H2Z',
}
