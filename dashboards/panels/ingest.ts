/** The dashboard of the pipeline: what comes, what is stored, and what is refused. */
import { promPanel, sqlPanel, type DashboardSpec } from './panel.ts'

/** Events on their way from the log into the store. */
export const INGEST: DashboardSpec = {
  uid: 'plumbline-ingest',
  title: 'Plumbline: ingest',
  variables: [],
  rows: [
    {
      row: 'Endpoints and the log',
      panels: [
        promPanel(
          ['Events at endpoints', 'Events by the answer that their sender got.', 'eps'],
          'sum by (outcome) (rate(plumbline_endpoint_events_total[$__rate_interval]))',
          '{{outcome}}',
        ),
        promPanel(
          ['Events of the log', 'Events by the one place where each ended.', 'eps'],
          'sum by (outcome) (rate(plumbline_events_total[$__rate_interval]))',
          '{{outcome}}',
        ),
        promPanel(
          ['Consumer lag', 'Messages that are not stored yet.', 'short'],
          'sum by (topic) (plumbline_consumer_lag)',
          '{{topic}}',
        ),
        promPanel(
          [
            'From the log to ClickHouse',
            '99 % of messages are stored within this time, of the oldest message of each range.',
            's',
          ],
          'histogram_quantile(0.99, sum by (le) (rate(plumbline_ingest_delay_seconds_bucket[$__rate_interval])))',
          'p99',
        ),
      ],
    },
    {
      row: 'The store',
      panels: [
        promPanel(
          ['Duration of an insert', '99 % of inserts take at most this long.', 's'],
          'histogram_quantile(0.99, sum by (le, topic) (rate(plumbline_insert_seconds_bucket[$__rate_interval])))',
          '{{topic}}',
        ),
        promPanel(
          [
            'Duration of an evaluation',
            '95 % of the batches of models are evaluated within this time.',
            's',
          ],
          'histogram_quantile(0.95, sum by (le) (rate(plumbline_window_evaluation_seconds_bucket[$__rate_interval])))',
          'p95',
        ),
      ],
    },
    {
      row: 'Refused',
      panels: [
        sqlPanel(
          [
            'Dead letters by reason',
            'Messages that could not be stored; the table dead_letters has their bytes.',
            'short',
          ],
          'timeseries',
          'SELECT $__timeInterval(received_at) AS time, reason AS label, count() AS value FROM dead_letters WHERE $__timeFilter(received_at) GROUP BY time, label ORDER BY time, label',
        ),
        sqlPanel(
          ['Newest dead letters', 'What is wrong with each, in words.', 'short'],
          'table',
          'SELECT received_at, topic, partition, offset, reason, message FROM dead_letters WHERE $__timeFilter(received_at) ORDER BY received_at DESC LIMIT 50',
        ),
        promPanel(
          [
            'Labels that wait for their prediction',
            'Labels whose prediction nobody has seen yet.',
            'short',
          ],
          'max by (model_id) (plumbline_labels_waiting)',
          '{{model_id}}',
        ),
        sqlPanel(
          [
            'Events that producers miss',
            'Events that a producer emitted, by its sequence numbers, and that have not come.',
            'short',
          ],
          'table',
          'SELECT model_id, producer, emitted, received_events, duplicated, missing FROM producer_completeness WHERE missing > 0 ORDER BY missing DESC, model_id, producer LIMIT 50',
        ),
      ],
    },
  ],
}
