/** Which settings a model file names itself. */

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Names of the settings that a file gives, of two levels at most, such as `windows` and
 * `windows.size`. It must be asked before defaults are filled in.
 */
export function namedSettings(file: unknown): ReadonlySet<string> {
  if (!isObject(file)) return new Set()
  return new Set(
    Object.entries(file).flatMap(([key, value]) => [
      key,
      // `alarms: fixed` is short for its kind.
      ...(key === 'alarms' && typeof value === 'string' ? ['alarms.kind'] : []),
      ...(isObject(value) ? Object.keys(value).map((inner) => `${key}.${inner}`) : []),
    ]),
  )
}
