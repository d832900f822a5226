/** Items of a loop that fail by themselves: counted and logged by name, while the others go on. */
import { Counter, type Registry } from 'prom-client'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Logger } from '../../../lib/runtime/log.ts'

/** Where failures of items are counted and logged. */
export interface ItemFailures {
  failed: Counter<'loop'>
  log: Pick<Logger, 'warn'>
}

/** Registers `plumbline_feedback_failed_total{loop}`. */
export function createItemFailures(registry: Registry, log: Pick<Logger, 'warn'>): ItemFailures {
  const failed = new Counter({
    name: 'plumbline_feedback_failed_total',
    help: 'Items of a feedback loop that failed and were passed by: models drawn from, judges, labels of finished reviews and of judges.',
    labelNames: ['loop'],
    registers: [registry],
  })
  return { failed, log }
}

/**
 * Runs the step of one item; never rejects.
 *
 * @returns whether the step went well
 */
export async function attemptItem(
  { failed, log }: ItemFailures,
  loop: string,
  item: string,
  step: () => Promise<void>,
): Promise<boolean> {
  try {
    await step()
    return true
  } catch (error) {
    failed.inc({ loop })
    log.warn({ loop, item, error: messageOf(error) }, 'an item failed, the others go on')
    return false
  }
}
