/**
 * Checks the house rules that are about what a file says and how full a room is. Which room may
 * import which is checked by
 * `.dependency-cruiser.cjs`.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

interface Rule {
  says: string
  /** Files the rule is about. */
  files: RegExp
  /** What they must not contain. */
  forbids: RegExp
}

/** Purity is a folder; beside these there are single files whose docstring ends with `Pure.`. */
const PURE_ROOM =
  /^(lib\/stats|services\/[^/]+\/(evaluate|plan|data|interop|report|decide|wire-formats))\//
const PURE_FILES = [
  'lib/clickhouse/native/.*',
  'lib/clickhouse/schema/(tokens|statements|cluster|row-rules|analyst-sql)',
  'lib/event-log/(consumer-health|kafkajs-patches/(partitioner|unreadable-batch))',
  'lib/events/(cloudevents|csv-cell|fields|finite-numbers|fit-to-limits|rejections|subjects)',
  'lib/events/(text-rules|validator|json/(bounds|duplicate-keys|fast-reader))',
  'lib/events/texts/.*',
  'lib/events/privacy/(digit-runs|field-changes|ibans|json-body|mask-text|name-list)',
  'lib/http/(callers|key-ids|origin|pages/page-shell|limits/(token-bucket|caller-limits)|oidc/token-claims)',
  'lib/models/derived/(declared-descriptors|derived-fields|price-table)',
  'lib/models/(expectations/.*|judges/.*|language/.*|launch-templates)',
  'lib/models/(privacy-problems|retrain-problems|windows)',
  'lib/runtime/(durations|person-names|yaml)',
  'lib/sink/(counts/.*|dedupe-set|field-columns|id-hash|mapping|range-row|rows)',
  'lib/sources/(conversions|embedded|faults|filters|globs|mapping|maps|paths|problems|times)',
  'lib/sources/(topics|values)',
  'lib/sql-port/(allowed-functions|allowlist|check-statement|city-hash|model-limits)',
  'lib/sql-port/(syntax-tree|words)',
  'services/drift/(http/asked-times|publish/rows)',
]
const PURE = new RegExp(`${PURE_ROOM.source}|^(${PURE_FILES.join('|')})\\.ts$`)
/** Production code; tests, benches, examples and scripts may do what they need. */
const PRODUCTION = /^(main|targets|lib\/.*|services\/.*|schemas\/.*)\.ts$/

export const RULES: readonly Rule[] = [
  {
    says: 'process.env only in main.ts',
    files: not(PRODUCTION, /^main\.ts$/),
    forbids: /process\.env/,
  },
  {
    says: 'a pure file touches no I/O, clock, randomness or environment',
    files: PURE,
    forbids:
      /from 'node:(?!crypto|buffer)|Date\.now\b|performance\.now|new Date\(\)|Math\.random\b|random(UUID|Bytes|Int)\b|process\.|\bset(Timeout|Interval|Immediate)\b|\bfetch\(|await /,
  },
  {
    says: 'no call takes the elements of an array of any length as its arguments: the stack ends at some hundred thousand',
    files: PRODUCTION,
    forbids:
      /(?:\bMath\.(?:min|max)|\.(?:push|unshift|of)|\.fromC(?:har|odePoint)\w*)\(\s*\.\.\.|\.apply\(/,
  },
  { says: 'no barrels', files: PRODUCTION, forbids: /^export \* from/m },
  { says: 'no utils, helpers or common', files: /(utils|helpers|common)\.ts$/, forbids: /[\s\S]/ },
  { says: 'no default exports', files: PRODUCTION, forbids: /^export default/m },
]

/** Every broken rule, as `file: rule`. */
export function violations(files: readonly { path: string; text: string }[]): string[] {
  return files.flatMap(({ path, text }) =>
    RULES.filter((rule) => rule.files.test(path) && rule.forbids.test(text)).map(
      (rule) => `${path}: ${rule.says}`,
    ),
  )
}

/** A room with more files than this is two. */
const MAX_FILES = 20

/** What fills a room: production code without its tests, and all code of the other folders. */
const FILLS = /^(?:(?:lib|services|schemas)\/(?!.*\.test\.ts$)|(?:bench|console|scripts|test)\/)/
/** Every folder that is too full, as `folder: rule`. */
export function fullRooms(paths: readonly string[]): string[] {
  const rooms = Map.groupBy(
    paths.filter((path) => FILLS.test(path)),
    (path) => path.slice(0, path.lastIndexOf('/')),
  )
  return [...rooms]
    .filter(([, files]) => files.length > MAX_FILES)
    .map(([room, files]) => `${room}: ${files.length} files, more than ${MAX_FILES}`)
}

/** Rooms whose exports must each have a docstring. */
const DOCUMENTED = /^(main|targets|lib\/.*|schemas\/.*|services\/.*|dashboards\/.*)\.ts$/
const EXPORT =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|const|let|class|interface|type|enum) +(\w+)/

/**
 * Every export without a docstring on the line before it, as a sentence. Exports of one name in a
 * row share the first one's docstring: overloads, and a schema with its static type.
 */
export function undocumented(files: readonly { path: string; text: string }[]): string[] {
  return files
    .filter(({ path }) => DOCUMENTED.test(path))
    .flatMap(({ path, text }) => {
      const lines = text.split('\n')
      const found = lines.flatMap((line, i): { name: string; has: boolean }[] => {
        const name = EXPORT.exec(line)?.[1]
        return name ? [{ name, has: /\*\/\s*$/.test(lines[i - 1] ?? '') }] : []
      })
      return found
        .filter(({ name, has }, i) => !has && found[i - 1]?.name !== name)
        .map(({ name }) => `${path}: the export ${name} has no docstring`)
    })
}

/**
 * Every comment with a sentence that opens with `Of` or `The same`, as a sentence: the name of the
 * thing comes first.
 */
export function invertedComments(files: readonly { path: string; text: string }[]): string[] {
  return files.flatMap(({ path, text }) =>
    (text.match(COMMENT) ?? [])
      .map((comment) => comment.replaceAll(COMMENT_MARKS, ' ').replaceAll(/\s+/g, ' ').trim())
      .filter((comment) => INVERTED.test(comment))
      .map((comment) => `${path}: a sentence opens with its subject, not so: ${comment}`),
  )
}

/** A block comment, or lines of `//` that follow one another. */
const COMMENT = /\/\*\*[^]*?\*\/|(?:^[ \t]*\/\/[^\n]*\n)+/gm
const COMMENT_MARKS = /^\s*(?:\/\*\*|\/\/|\*\/|\*)|\*\/$/gm
const INVERTED = /(?:^|[.:;] )(?:Of|The same) /

function not(these: RegExp, but: RegExp): RegExp {
  return new RegExp(`^(?!${but.source.replace(/^\^/, '')})(?:${these.source})`)
}

if (import.meta.main) {
  const code = ['ts', 'js', 'mjs', 'css', 'py'].map((ending) => `*.${ending}`)
  const paths = execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...code], {
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
    // The index keeps the old path of a moved file until it is told.
    .filter((path) => existsSync(path))
  const all = paths
    .filter((path) => /\.m?[jt]s$/.test(path))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
  const texts = all.filter(({ path }) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
  const found = [
    ...violations(texts),
    ...fullRooms(paths),
    ...undocumented(texts),
    ...invertedComments(all),
  ]
  for (const line of found) console.error(line)
  if (found.length > 0) process.exit(1)
}
