/**
 * Which texts every store takes: no control characters but line ends and tabs, no halves of a
 * character. Pure.
 */
import { Problem } from '../runtime/errors.ts'

// eslint-disable-next-line no-control-regex -- these are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

/**
 * Why a text cannot be kept, as a sentence that begins with `name`; undefined for a text that can.
 */
export function textProblem(name: string, text: string): string | undefined {
  const control = CONTROL.exec(text)?.[0]
  if (control !== undefined)
    return `${name} holds the control character U+${control.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}`
  return text.isWellFormed() ? undefined : `${name} holds half of a character (a lone surrogate)`
}

/**
 * Refuses a value in which any text, keys included, cannot be kept. It walks without recursion, so
 * depth costs no stack.
 *
 * @throws {Problem} 400 `invalid_text` that names the field
 */
export function requirePrintable(name: string, value: unknown): void {
  const open: [string, unknown][] = [[name, value]]
  for (let next = open.pop(); next; next = open.pop()) {
    const [path, item] = next
    if (typeof item === 'string') refuse(textProblem(path, item))
    else if (Array.isArray(item))
      for (const [i, one] of item.entries()) open.push([`${path}[${i}]`, one])
    else if (item !== null && typeof item === 'object')
      for (const [key, one] of Object.entries(item)) {
        refuse(textProblem(`a name in ${path}`, key))
        open.push([`${path}.${key.slice(0, 100)}`, one])
      }
  }
}

function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw new Problem(400, 'invalid_text', problem)
}
