/** How settings are told. Pure. */

/** A setting by its name in the model file, its value, and a sentence of what that means. */
export type Said = readonly [setting: string, value: unknown, says: string]

/** A share as a percentage, of three digits. */
export const percent = (share: number) => `${Number((share * 100).toPrecision(3))} %`
/** Names in a row. */
export const list = (names: readonly string[]) => names.join(', ')
/** A number with what is counted. */
export const count = (n: number, one: string, many = `${one}s`) => `${n} ${n === 1 ? one : many}`
