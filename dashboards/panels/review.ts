/** The dashboard of review: how much waits for people, and how far they agree. */
import { sqlPanel, VARIABLES, type DashboardSpec } from './panel.ts'

const OF = VARIABLES.model.condition

/** The review queue of one model. */
export const REVIEW: DashboardSpec = {
  uid: 'plumbline-review',
  title: 'Plumbline: review',
  variables: ['model'],
  rows: [
    {
      row: 'The queue',
      panels: [
        sqlPanel(
          ['Tasks by state', 'Review tasks that were drawn in the time range.', 'short'],
          'table',
          `SELECT state, count() AS tasks, min(created_at) AS oldest, max(created_at) AS newest FROM review_tasks WHERE ${OF} AND $__timeFilter(created_at) GROUP BY state ORDER BY tasks DESC, state`,
        ),
        sqlPanel(
          ['Answers', 'What reviewers answered, and what they skipped.', 'short'],
          'timeseries',
          `SELECT time, answer AS label, count() AS value FROM (SELECT $__timeInterval(submitted_at) AS time, if(skipped, 'skipped', 'answered') AS answer FROM reviews FINAL WHERE ${OF} AND $__timeFilter(submitted_at)) GROUP BY time, label ORDER BY time, label`,
        ),
      ],
    },
    {
      row: 'People',
      panels: [
        sqlPanel(
          [
            'Reviewers',
            'Answers and skips of each; agreement is the share of pairs with another reviewer in which both say the same.',
            'short',
          ],
          'table',
          `SELECT a.reviewer AS reviewer, a.answers AS answers, a.skips AS skips, p.pairs AS pairs, if(p.pairs = 0, NULL, p.agreeing / p.pairs) AS agreement FROM (SELECT reviewer, countIf(NOT skipped) AS answers, countIf(skipped) AS skips FROM reviews FINAL WHERE ${OF} AND $__timeFilter(submitted_at) GROUP BY reviewer) AS a LEFT JOIN (SELECT reviewer, count() AS pairs, countIf(label_a = label_b) AS agreeing FROM (SELECT reviewer_a AS reviewer, label_a, label_b FROM review_pairs WHERE ${OF} AND $__timeFilter(answered_at) UNION ALL SELECT reviewer_b AS reviewer, label_a, label_b FROM review_pairs WHERE ${OF} AND $__timeFilter(answered_at)) GROUP BY reviewer) AS p ON p.reviewer = a.reviewer ORDER BY answers DESC, reviewer LIMIT 100`,
          { width: 24 },
        ),
        sqlPanel(
          [
            'Agreement',
            'Share of pairs of answers to one task in which both reviewers say the same.',
            'percentunit',
          ],
          'timeseries',
          `SELECT $__timeInterval(answered_at) AS time, 'agreement' AS label, countIf(label_a = label_b) / count() AS value FROM review_pairs WHERE ${OF} AND $__timeFilter(answered_at) GROUP BY time ORDER BY time`,
        ),
        sqlPanel(
          ['Answers by class', 'Which labels reviewers gave; the twenty most frequent.', 'short'],
          'table',
          `SELECT label, count() AS answers FROM reviews FINAL WHERE ${OF} AND NOT skipped AND $__timeFilter(submitted_at) GROUP BY label ORDER BY answers DESC, label LIMIT 20`,
        ),
      ],
    },
  ],
}
