/** What asking a judge costs, in whole billionths of a US dollar, so that sums are exact. */
import type { PriceTable } from '../../../../lib/models/derived/price-table.ts'
import type { ModelJudge } from '../../../../schemas/language-models/judges.ts'
import type { Usage } from './judgement.ts'

/** Billionths of a US dollar in one. */
export const NANO_USD = 1_000_000_000
/** Sums of more are no whole numbers any more. */
const MAX_NANO = 1e15
/** Tokens that chat templates add to what is sent. */
const TEMPLATE_TOKENS = 256

/** What one answer of a judge costs by its tokens; undefined where no price is known. */
export type CostOf = (usage: Usage) => number | undefined

/**
 * The price of a judge at a time: that of its model file, else by the price file; a command costs
 * nothing unless its model file says otherwise.
 *
 * @param at epoch milliseconds
 */
export function costing(judge: ModelJudge, prices: PriceTable, at: number): CostOf {
  const { endpoint, usd_per_call } = judge
  const flat = usd_per_call ?? (endpoint ? undefined : 0)
  if (flat !== undefined) return () => nano(flat)
  const { model, provider } = endpoint!
  return ({ inputTokens, outputTokens }) => {
    const usd = prices.costOf({ modelVersion: model, provider, at, inputTokens, outputTokens })
    return usd === undefined ? undefined : nano(usd)
  }
}

/**
 * The most that one request can cost: a token has at least one byte, and no answer has more than the
 * limit that is sent. Undefined where no price is known.
 */
export const mostOf = (
  costOf: CostOf,
  requestBody: string,
  maxTokens: number,
): number | undefined =>
  costOf({
    inputTokens: Buffer.byteLength(requestBody) + TEMPLATE_TOKENS,
    outputTokens: maxTokens,
  })

/** What a day may cost. */
export const budgetOf = ({ budget_usd_per_day }: Pick<ModelJudge, 'budget_usd_per_day'>): number =>
  Math.floor(Math.min(MAX_NANO, budget_usd_per_day * NANO_USD))

/** Rounded up: what is counted is never below what is paid. */
const nano = (usd: number): number =>
  Math.min(MAX_NANO, Math.max(0, Math.ceil(usd * NANO_USD - 1e-6)))
