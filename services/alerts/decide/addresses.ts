/** Addresses of the pages that alerts link to. */
import type { ActiveAlarm } from '../../../schemas/active-alarms.ts'

/**
 * Address of the page of an alarm's episode, or of its model where it belongs to none.
 *
 * @param base address of the service, without a slash at its end
 */
export function pageOfAlarm(
  base: string,
  { model_id: model, episode_id: episode }: Pick<ActiveAlarm, 'model_id' | 'episode_id'>,
): string {
  const page = `${base}/models/${encodeURIComponent(model)}`
  return episode.startsWith(`${model}/`)
    ? `${page}/episodes/${encodeURIComponent(episode.slice(model.length + 1))}`
    : page
}

/**
 * Address of the report of a model's windows up to the one that alarms.
 *
 * @param base address of the service, without a slash at its end
 */
export const reportOfAlarm = (
  base: string,
  { model_id: model, window_end: end }: Pick<ActiveAlarm, 'model_id' | 'window_end'>,
): string => `${base}/v1/models/${encodeURIComponent(model)}/report?to=${encodeURIComponent(end)}`
