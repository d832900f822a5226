/** What has been said of a window, which a restatement is compared with. */
import type { ClickHouse } from '../../lib/clickhouse.ts'
import { gathered } from '../../lib/gathered.ts'
import type { Window } from '../../lib/windows.ts'
import { factKey, type Fact } from './facts.ts'
import { keyOf, sqlTime } from './scope.ts'

/** What was said of a combination. */
export interface Said {
  /** The newest revision that was begun. */
  revision: number
  /** Of the newest complete one; empty where none is. */
  facts: Map<string, Fact>
}

interface Key {
  model_id: string
  model_version: string
  variant: string
  slice_key: string
  slice_value: string
}

/** 64-bit integers come as strings. */
type Counted = 'n_reference' | 'n_current' | 'n_labelled'
type FactRow = Omit<Fact, Counted> & Record<Counted, string> & Key

const OF_WINDOW = `model_id IN {models:Array(String)} AND window_start = {start:DateTime64(3, 'UTC')} AND window_end = {end:DateTime64(3, 'UTC')}`
const KEY = 'model_id, model_version, variant, slice_key, slice_value'
const KEY_TEXT = `concat(model_id, '\\x01', model_version, '\\x01', variant, '\\x01', slice_key, '\\x01', slice_value)`

const combinationOf = ({ model_version, variant, slice_key, slice_value }: Key) =>
  keyOf({ modelVersion: model_version, variant, slice: { key: slice_key, value: slice_value } })

export const saidQueries = (db: ClickHouse) => ({
  /**
   * What was said of a window, per combination: the facts of its newest complete revision, and the newest revision that was begun,
   * which a crash may have cut off.
   */
  latestFacts: gathered(
    ({ window }: { modelId: string; window: Window }) => `${window.start}-${window.end}`,
    async (asked): Promise<Map<string, Said>[]> => {
      const { window } = asked[0]!
      const params = {
        models: asked.map(({ modelId }) => modelId),
        start: sqlTime(window.start),
        end: sqlTime(window.end),
      }
      const revisions = await db.query<Key & { text: string; begun: number; complete: number }>(
        `SELECT ${KEY}, ${KEY_TEXT} AS text, max(revision) AS begun, maxIf(revision, is_complete) AS complete FROM (
           SELECT ${KEY}, revision, false AS is_complete FROM window_metrics WHERE ${OF_WINDOW}
           UNION ALL
           SELECT ${KEY}, revision, true AS is_complete FROM window_revisions WHERE ${OF_WINDOW}
         ) GROUP BY ${KEY}`,
        params,
      )
      const complete = revisions.filter((row) => row.complete > 0)
      // Asked apart: joined with the revisions, the engine now and then looked for a computed column in the table itself.
      const facts =
        complete.length === 0
          ? []
          : await db.query<FactRow>(
              `SELECT * FROM window_metrics
               WHERE ${OF_WINDOW} AND revision <= arrayElement({revisions:Array(UInt32)}, indexOf({keys:Array(String)}, ${KEY_TEXT}))
               ORDER BY revision DESC LIMIT 1 BY ${KEY}, family, subject, metric, convention, method, reference`,
              {
                ...params,
                keys: complete.map(({ text }) => text),
                revisions: complete.map((row) => row.complete),
              },
            )
      const byModel = Map.groupBy(revisions, (row) => row.model_id)
      const factsOf = Map.groupBy(facts, (row) => row.model_id)
      return asked.map(({ modelId }) => {
        const said = new Map<string, Said>(
          (byModel.get(modelId) ?? []).map((row) => [
            combinationOf(row),
            { revision: row.begun, facts: new Map() },
          ]),
        )
        for (const row of factsOf.get(modelId) ?? []) {
          const numbers = {
            n_reference: Number(row.n_reference),
            n_current: Number(row.n_current),
            n_labelled: Number(row.n_labelled),
          }
          said.get(combinationOf(row))?.facts.set(factKey(row), { ...row, ...numbers })
        }
        return said
      })
    },
  ),
})
