/** What a reviewer types and presses, read. Pure. */

/** Keys that classes leave for those who cannot tell, and for bad examples, unless they are called so. */
export const SKIP_KEYS = { cannot_tell: 's', bad_example: 'x' }

/**
 * The key of each class: a class of one character is its own key, another one is chosen by the first
 * of its characters that is free, else by any free letter; '' where none is left. A key never
 * chooses another class than the one that is called so.
 *
 * @param {readonly string[]} classes
 * @returns {string[]}
 */
export function keysOf(classes) {
  const own = (name) => ([...name].length === 1 && isKey(name) ? name.toLowerCase() : '')
  const used = new Set()
  const keys = classes.map((name) => {
    const key = own(name)
    if (key === '' || used.has(key)) return ''
    used.add(key)
    return key
  })
  for (const key of Object.values(SKIP_KEYS)) used.add(key)
  const letters = [...'abcdefghijklmnopqrstuvwxyz']
  return keys.map((key, i) => {
    if (key !== '') return key
    // A digit would be read as the class of that number.
    const free = [...classes[i].toLowerCase(), ...letters].find(
      (letter) => /^\p{L}$/u.test(letter) && !used.has(letter),
    )
    if (free === undefined) return ''
    used.add(free)
    return free
  })
}

const isKey = (name) => /^[\p{L}\p{N}]$/u.test(name)

/**
 * A number as people of a language write it, such as `1.250,5` in German; a point and no separators
 * are read everywhere where they can mean nothing else.
 *
 * @param {string} text
 * @param {string} language as `navigator.language` has it
 * @returns {{ value?: number, problem?: string }} one of both
 */
export function readNumber(text, language) {
  const { group, decimal } = separatorsOf(language)
  const plain = text
    .trim()
    .replaceAll('\u2212', '-')
    .replaceAll(/[\u00a0\u202f]/g, ' ')
  const example = (1250.5).toLocaleString(language, { useGrouping: 'always' })
  const problem = `Not a number: write it as ${example} or 1250${decimal}5.`
  const grouped = new RegExp(
    `^[+-]?\\d{1,3}(${escaped(group)}\\d{3})+(${escaped(decimal)}\\d+)?$`,
    'u',
  )
  const bare = new RegExp(
    `^[+-]?(\\d+(${escaped(decimal)}\\d*)?|${escaped(decimal)}\\d+)(e[+-]?\\d+)?$`,
    'iu',
  )
  // As programs write it, where a point is no separator of thousands, or cannot be one.
  const isProgram =
    /^[+-]?\d+\.\d+(e[+-]?\d+)?$/i.test(plain) &&
    (group !== '.' || !/^[+-]?\d{1,3}\.\d{3}$/.test(plain))
  if (!grouped.test(plain) && !bare.test(plain) && !isProgram) return { problem }
  const value = Number(isProgram ? plain : plain.replaceAll(group, '').replace(decimal, '.'))
  return Number.isFinite(value) ? { value } : { problem }
}

const escaped = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

/** How a language separates thousands and decimals; a space of any kind is a space. */
function separatorsOf(language) {
  const parts = new Intl.NumberFormat(language, { useGrouping: 'always' }).formatToParts(12345.6)
  const part = (type, fallback) => parts.find((one) => one.type === type)?.value ?? fallback
  return {
    group: part('group', ',').replaceAll(/[\u00a0\u202f]/g, ' '),
    decimal: part('decimal', '.'),
  }
}
