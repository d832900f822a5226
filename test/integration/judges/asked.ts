/** Judges of one model on real stores, with a clock that a test moves. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { guardedFetch } from '../../../lib/http/outgoing/guarded-fetch.ts'
import { parseAllowed } from '../../../lib/http/outgoing/address-rules.ts'
import { parsePrices } from '../../../lib/models/derived/price-table.ts'
import { parseModel, type Model } from '../../../lib/models/model-files.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import { createItemFailures } from '../../../services/feedback/loop/item-failures.ts'
import {
  askLoop,
  askStep,
  underWayEnded,
} from '../../../services/feedback/loop/judges/ask-judges.ts'
import { emitJudgements } from '../../../services/feedback/loop/judges/emit-judgements.ts'
import type { Judging } from '../../../services/feedback/loop/judges/judging.ts'
import { promptFiles } from '../../../services/feedback/queries/judges/prompt-files.ts'
import type { Pipeline } from '../../pipeline.ts'

export const DAY = Date.UTC(2025, 5, 5)
const HOUR_MS = 3_600_000

const PROMPT = `
version: '1'
system: Judge whether the answer follows from the question.
user: "Question: {{input_text}}\\nAnswer: {{output_text}}"
`

/** What a test says of its judge, as YAML. */
export interface JudgeSettings {
  modelId: string
  url: string
  more?: string
  /** In place of a judge of the endpoint. */
  judge?: string
  answer?: string
  sample?: number
}

/** A model file with one judge, in a folder with its prompt. */
export function modelWithJudge(directory: string, settings: JudgeSettings): Model {
  mkdirSync(join(directory, 'prompts'), { recursive: true })
  writeFileSync(join(directory, 'prompts', 'g.yaml'), PROMPT)
  const { modelId, url, more = '', answer = '{ classes: [yes, no] }', sample = 1 } = settings
  const judge =
    settings.judge ??
    `{ name: grounded, version: '1', prompt: prompts/g.yaml, sample: ${sample}, answer: ${answer}, endpoint: { url: "${url}", model: small } ${more} }`
  return parseModel(
    `{ model_id: ${modelId}, task: llm, windows: { size: 1h, lateness: 15m }, judges: [${judge}] }`,
    directory,
  )
}

/** US dollars of an answer that has the double's 100 and 20 tokens: 0.00014. */
const PRICES = parsePrices(
  'prices: [{ model: small, input_per_million: 1, output_per_million: 2 }]',
)

/** Predictions of one hour, and a later one that closes it. */
export const predictionsOf = (
  model_id: string,
  texts: readonly string[],
  more: (i: number) => object = () => ({}),
): object[] => [
  ...texts.map((output_text, i) => ({
    model_id,
    model_version: '1',
    prediction_id: `p-${i}`,
    predicted_at: new Date(DAY + HOUR_MS + i).toISOString(),
    input_text: 'what is it',
    output_text,
    ...more(i),
  })),
  {
    model_id,
    model_version: '1',
    prediction_id: 'later',
    predicted_at: new Date(DAY + 5 * HOUR_MS).toISOString(),
  },
]

/** The asking of one process. */
export function judgingOf(
  { db }: Pick<Pipeline, 'db'>,
  postgres: Postgres,
  models: readonly Model[],
  parts: Partial<Judging> = {},
) {
  const clock = { now: DAY + 6 * HOUR_MS }
  const faults: string[] = []
  // A judge that fails is passed by; a test says where it expects that.
  const log = pino({ level: 'warn' }, { write: (line) => void faults.push(line) })
  const counts: Record<string, number> = {}
  const sent: Record<string, unknown>[] = []
  const judging: Judging = {
    db,
    postgres,
    readPrompt: promptFiles(),
    prices: () => PRICES,
    allowsCommands: true,
    failures: createItemFailures(new Registry(), log),
    log,
    count: ({ modelId }, outcome, reason = '', n = 1) => {
      if (models.every((model) => model.modelId !== modelId)) return
      const key = reason === '' ? outcome : `${outcome}:${reason}`
      counts[key] = (counts[key] ?? 0) + n
    },
    random: () => 0,
    fetch: guardedFetch(parseAllowed('loopback')),
    environment: () => undefined,
    stopping: new AbortController().signal,
    now: () => clock.now,
    ...parts,
  }
  const loop = askLoop(judging, { declared: models })
  const emitter = {
    postgres,
    now: judging.now,
    failures: judging.failures,
    setAside: new Map<string, number>(),
    eventLog: {
      append: async (_topic: string, messages: readonly { value: string | Buffer }[]) => {
        for (const { value } of messages) {
          const label = JSON.parse(value.toString()) as Record<string, unknown>
          // Those of other tests on the same store are sent, too.
          if (models.some(({ modelId }) => modelId === label['model_id'])) sent.push(label)
        }
      },
    },
  }
  return {
    judging,
    loop,
    clock,
    counts,
    /** Warnings that were logged. */
    faults,
    /** Label events that were sent. */
    sent,
    /** One step, and all questions that it began. */
    step: async () => {
      const told = await askStep(loop)
      await underWayEnded(loop)
      return told
    },
    /** Steps until nothing is begun any more. */
    all: async () => {
      for (let i = 0; i < 500; i++) {
        const { isIdle } = await askStep(loop)
        await underWayEnded(loop)
        if (isIdle) return
      }
      throw new Error('500 steps were not enough')
    },
    emit: () => emitJudgements(emitter),
  }
}

/** How many questions of a model are in each state, with their reason. */
export async function statesOf(db: Postgres, modelId: string): Promise<Record<string, number>> {
  const rows = await db.query<{ state: string; reason: string; n: number }>(
    'select state, reason, count(*)::int as n from judge_questions where model_id = $1 group by 1, 2',
    [modelId],
  )
  return Object.fromEntries(
    rows.map(({ state, reason, n }) => [reason === '' ? state : `${state}:${reason}`, n]),
  )
}

/** Billionths of a US dollar that a model's judges have spent, and that are held back. */
export async function moneyOf(db: Postgres, modelId: string) {
  const [row] = await db.query<{ spent: string; reserved: string }>(
    'select coalesce(sum(spent_nano_usd), 0) as spent, coalesce(sum(reserved_nano_usd), 0) as reserved from judge_days where model_id = $1',
    [modelId],
  )
  return { spent: Number(row!.spent), reserved: Number(row!.reserved) }
}
