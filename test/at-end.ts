/** What is to be ended after the tests of a file, from wherever it was begun: hooks too. */
const ends: (() => unknown)[] = []

/** Calls `end` after the file's tests; what was begun last is ended first. */
export function atEnd(end: () => unknown): void {
  ends.push(end)
}

/** Ends all; what fails is thrown once the others are ended. */
export async function endAll(): Promise<void> {
  const failures: unknown[] = []
  for (const end of ends.splice(0).toReversed()) {
    try {
      await end()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'what a test began did not end')
}
