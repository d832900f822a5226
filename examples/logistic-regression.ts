/**
 * A logistic regression, trained by Newton's method: enough of a model to monitor, and the same on
 * every machine.
 */

export interface LogisticModel {
  features: readonly string[]
  means: readonly number[]
  deviations: readonly number[]
  /** The intercept, then one weight per feature in standard deviations. */
  weights: readonly number[]
}

const ROUNDS = 25
const RIDGE = 1e-3

/** @param rows feature values in the order of `features`; @param labels 0 or 1 */
export function train(
  features: readonly string[],
  rows: readonly (readonly number[])[],
  labels: readonly number[],
): LogisticModel {
  const n = rows.length
  const means = features.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / n)
  const deviations = features.map(
    (_, j) => Math.sqrt(rows.reduce((sum, row) => sum + (row[j]! - means[j]!) ** 2, 0) / n) || 1,
  )
  const inputs = rows.map((row) => [1, ...row.map((x, j) => (x - means[j]!) / deviations[j]!)])
  const k = features.length + 1
  let weights = Array.from({ length: k }, () => 0)
  for (let round = 0; round < ROUNDS; round++) {
    const gradient = weights.map((w) => -RIDGE * n * w)
    const hessian = weights.map((_, i) => weights.map((__, j) => (i === j ? RIDGE * n : 0)))
    for (const [r, x] of inputs.entries()) {
      const p = sigmoid(dot(weights, x))
      for (let i = 0; i < k; i++) {
        gradient[i]! += (labels[r]! - p) * x[i]!
        for (let j = 0; j <= i; j++) hessian[i]![j]! += p * (1 - p) * x[i]! * x[j]!
      }
    }
    for (let i = 0; i < k; i++) for (let j = i + 1; j < k; j++) hessian[i]![j] = hessian[j]![i]!
    const step = solve(hessian, gradient)
    weights = weights.map((w, i) => w + step[i]!)
    if (Math.max(...step.map(Math.abs)) < 1e-10) break
  }
  return { features, means, deviations, weights }
}

/** The probability of class 1. */
export function predict(model: LogisticModel, row: readonly number[]): number {
  return sigmoid(
    dot(model.weights, [1, ...row.map((x, j) => (x - model.means[j]!) / model.deviations[j]!)]),
  )
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z))
const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0)

/** Gaussian elimination with partial pivoting. */
function solve(matrix: readonly (readonly number[])[], vector: readonly number[]): number[] {
  const a = matrix.map((row, i) => [...row, vector[i]!])
  const n = a.length
  for (let column = 0; column < n; column++) {
    const pivot = a
      .slice(column)
      .reduce(
        (best, row, i) =>
          Math.abs(row[column]!) > Math.abs(a[best]![column]!) ? i + column : best,
        column,
      )
    ;[a[column], a[pivot]] = [a[pivot]!, a[column]!]
    for (let row = column + 1; row < n; row++) {
      const factor = a[row]![column]! / a[column]![column]!
      for (let j = column; j <= n; j++) a[row]![j]! -= factor * a[column]![j]!
    }
  }
  const x = Array.from({ length: n }, () => 0)
  for (let row = n - 1; row >= 0; row--) {
    const rest = a[row]!.slice(row + 1, n).reduce(
      (sum, value, j) => sum + value * x[row + 1 + j]!,
      0,
    )
    x[row] = (a[row]![n]! - rest) / a[row]![row]!
  }
  return x
}
