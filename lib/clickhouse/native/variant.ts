/** Values of several types in one column of a Native block, for what features are. */
import type { Column } from './column.ts'
import { strings, uint64 } from './block.ts'
import { fixed, type FixedColumn } from './fixed-width.ts'

/** Places of the kinds in `Variant(Bool, Float64, String)`. */
const BOOL = 0
const NUMBER = 1
const TEXT = 2
const NULL = 255

/** `Variant(Bool, Float64, String)`: each value keeps its type; null is none of them. */
export function scalars(): Column<string | number | boolean | null> & Pick<FixedColumn, 'setEach'> {
  let kinds = Buffer.alloc(4096, NULL)
  let length = 0
  let used = false
  const bools = fixed('Bool')
  const numbers = fixed('Float64')
  const texts = strings()
  let boolCount = 0
  let numberCount = 0
  let textCount = 0
  const reserve = (rows: number) => {
    if (rows <= kinds.length) return
    const wider = Buffer.allocUnsafe(Math.max(2 * kinds.length, rows))
    kinds.copy(wider)
    kinds = wider.fill(NULL, kinds.length)
  }
  return {
    type: 'Variant(Bool, Float64, String)',
    set: (row, value) => {
      reserve(row + 1)
      if (typeof value === 'number') {
        kinds[row] = NUMBER
        numbers.set(numberCount++, value)
      } else if (typeof value === 'string') {
        kinds[row] = TEXT
        texts.set(textCount++, value)
      } else if (typeof value === 'boolean') {
        kinds[row] = BOOL
        bools.set(boolCount++, value ? 1 : 0)
      }
      length = row + 1
      used = true
    },
    setEach: (row, values) => {
      length = row + values.length
      reserve(length)
      const into = kinds
      for (let i = row; i < length; i++) into[i] = NUMBER
      numbers.setEach(numberCount, values)
      numberCount += values.length
      used = true
    },
    fill: (rows) => {
      reserve(rows)
      length = rows
    },
    used: () => used,
    prefix: () => [uint64(0)],
    data: () => [
      kinds.subarray(0, length),
      ...(boolCount > 0 ? bools.data() : []),
      ...(numberCount > 0 ? numbers.data() : []),
      ...(textCount > 0 ? texts.data() : []),
    ],
    clear: () => {
      for (const column of [bools, numbers, texts]) column.clear()
      kinds.fill(NULL, 0, length)
      length = 0
      boolCount = 0
      numberCount = 0
      textCount = 0
      used = false
    },
  }
}
