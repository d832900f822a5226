/** One line of the bench: a figure, and what it is held against in the same run. */
export interface Result {
  name: string
  value: number
  unit: string
  /** What it is held against, and value / that. */
  against: string
  ratio: number | null
  rounds: number
  settings: Record<string, unknown>
  /** What was found besides the number. */
  note?: string
}
