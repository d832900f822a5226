/**
 * Checks the house rules that a linter's import patterns cannot say: where a package may be imported, that services never
 * import one another, what pure files may touch, and where the environment is read.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

interface Rule {
  says: string
  /** Files the rule is about. */
  files: RegExp
  /** What they must not contain. */
  forbids: RegExp
}

const IMPORT = (what: string) => new RegExp(`from '(${what})'`)
const PURE =
  /^(lib\/stats\/.*|lib\/(windows|city-hash|durations|conditions|rejections|cloudevents|event-(fields|fit|verdict|mapping|rows)|id-hash|numbers-or-none|kafkajs-unreadable|json-scan|json-bounds|subjects|category-counts|callers|key-ids|text-rules|consumer-health|kafkajs-partitioner|native-block|numeric-bins|mixed-grids|plain-json|prediction-counts|seen-ids|http-origin|sql-(allowlist|functions|reader|tree|words))|services\/[^/]+\/(dialects\/.*|[a-z-]*rows|producer-counts|evaluate[a-z-]*|canary|measures|decide|rules|references|schedule|agenda|past-windows|turns|due-models|facts|spans|window-data|label-classes|declared-features|reference-windows))\.ts$/
/** Production code; tests, benches, examples and scripts may do what they need. */
const PRODUCTION = /^(main|targets|lib\/.*|services\/.*|schemas\/.*)\.ts$/

export const RULES: readonly Rule[] = [
  {
    says: 'kafkajs only in lib/event-log/kafka.ts and its helpers',
    files: not(PRODUCTION, /^lib\/(event-log\.kafka|kafka-consumers|kafkajs-\w+)\.ts$/),
    forbids: IMPORT("kafkajs[^']*"),
  },
  {
    says: '@clickhouse/client and chdb only in lib/clickhouse*.ts',
    files: not(PRODUCTION, /^lib\/clickhouse[a-z-]*\.ts$/),
    forbids: IMPORT("@clickhouse/client|chdb[^']*"),
  },
  {
    says: 'fastify only in lib/http/server.ts',
    files: not(PRODUCTION, /^lib\/http\.ts$/),
    forbids: IMPORT("@?fastify[^']*"),
  },
  {
    says: 'process.env only in main.ts files',
    files: not(PRODUCTION, /^(services\/[^/]+\/)?main\.ts$/),
    forbids: /process\.env/,
  },
  {
    says: 'a pure file touches no I/O, clock, randomness or environment',
    files: PURE,
    forbids:
      /from 'node:(?!crypto|buffer)|Date\.now\(|new Date\(\)|Math\.random\(|process\.|\bfetch\(|await /,
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
  ...['ingest', 'drift', 'feedback', 'retrain-trigger'].map((service) => ({
    says: `services/${service} imports no other service`,
    files: new RegExp(`^services/${service}/`),
    forbids: new RegExp(
      `from '\\.\\./(?!\\.\\./)[a-z-]+/|from '\\.\\./\\.\\./(services|targets|main)`,
    ),
  })),
]

/** Every broken rule, as `file: rule`. */
export function violations(files: readonly { path: string; text: string }[]): string[] {
  return files.flatMap(({ path, text }) =>
    RULES.filter((rule) => rule.files.test(path) && rule.forbids.test(text)).map(
      (rule) => `${path}: ${rule.says}`,
    ),
  )
}

function not(these: RegExp, but: RegExp): RegExp {
  return new RegExp(`^(?!${but.source.replace(/^\^/, '')})(?:${these.source})`)
}

if (import.meta.main) {
  const paths = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts'], {
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
  const production = paths.filter((path) => !path.endsWith('.test.ts'))
  const found = violations(production.map((path) => ({ path, text: readFileSync(path, 'utf8') })))
  for (const line of found) console.error(line)
  if (found.length > 0) process.exit(1)
}
