/** The metrics that windows are evaluated by, and which way each of them gets worse. Pure. */

/**
 * Which way a metric gets worse; `neither` where a change of it is neither good nor bad by itself.
 */
export type WorseSide = 'higher' | 'lower' | 'neither'

const each = (side: WorseSide, names: string): [string, WorseSide][] =>
  names.split(' ').map((name) => [name, side])

/**
 * Metric names by family, as `window_metrics` spells them. `performance` has those of
 * `custom_metrics` (`custom.…`) besides.
 */
export const METRICS: Readonly<Record<string, ReadonlyMap<string, WorseSide>>> = {
  drift: new Map([
    ...each('higher', 'psi psi_excess ks wasserstein js_distance chi_squared hellinger kl tv'),
    ...each(
      'higher',
      'drift_share l_infinity cramer_von_mises anderson_darling energy mmd domain_auc novelty',
    ),
    ...each('higher', 'skew'),
    ...each('neither', 'missing_skew mann_whitney location_shift scale_shift skew_shift'),
    ...each('higher', 'odd_one_out'),
    ...each('lower', 'attribution_ndcg'),
    ...each('neither', 'attribution_share attribution_mean_abs attribution_rank'),
  ]),
  quality: new Map([
    ...each('higher', 'missing_ratio new_category_ratio type_mismatch_ratio out_of_range_ratio'),
    ...each(
      'higher',
      'duplicate_ratio largest_atom_share new_atom_share expectation_violation_ratio',
    ),
    ...each('neither', 'features_evaluated features_without_value cohorts_evaluated'),
  ]),
  performance: new Map([
    ...each('lower', 'accuracy precision recall f1 roc_auc pr_auc lift r2'),
    ...each('lower', 'macro_f1 macro_precision macro_recall'),
    ...each('lower', 'weighted_f1 weighted_precision weighted_recall'),
    ...each('lower', 'ndcg_at_k hit_rate_at_k mrr business_value interval_coverage label_coverage'),
    ...each(
      'lower',
      'estimated_accuracy estimated_roc_auc estimated_precision estimated_recall estimated_f1 estimated_business_value',
    ),
    ...each('lower', 'nowcast_accuracy nowcast_precision nowcast_recall nowcast_f1'),
    ...each('lower', 'nowcast_macro_f1 nowcast_roc_auc'),
    ...each('higher', 'nowcast_mae nowcast_rmse'),
    ...each('higher', 'log_loss brier ece mae rmse mape wape pinball estimated_mae estimated_rmse'),
    ...each('higher', 'coverage_gap label_delay_p50_s'),
    ...each('neither', 'bias calibration_slope calibration_intercept calibration_residual'),
    ...each('neither', 'estimate_error'),
    ...each('higher', 'worst_cohort_gap cohort_gap policy_regret'),
    ...each(
      'lower',
      'policy_value_ips policy_value_snips policy_value_dr mean_reward action_value',
    ),
    ...each('lower', 'policy_effective_n'),
  ]),
  fairness: new Map([
    ...each('neither', 'selection_rate true_positive_rate false_positive_rate false_negative_rate'),
    ...each('neither', 'precision statistical_parity_difference disparate_impact_ratio'),
    ...each('neither', 'equal_opportunity_difference false_positive_rate_difference'),
    ...each('neither', 'equalized_odds_difference predictive_parity_difference'),
    ...each('neither', 'label_coverage label_coverage_difference'),
    ...each('neither', 'review_exposure review_exposure_difference'),
    ...each('neither', 'label_delay_p50_s label_delay_p50_s_difference'),
  ]),
  operations: new Map([
    ...each('neither', 'throughput_per_s exploration_share'),
    ...each('higher', 'error_ratio latency_p50_ms latency_p95_ms latency_p99_ms'),
    ...each(
      'higher',
      'time_to_first_token_p50_ms time_to_first_token_p95_ms time_to_first_token_p99_ms',
    ),
    ...each('lower', 'output_tokens_per_s'),
    ...each('higher', 'cost_usd input_tokens output_tokens'),
    ...each('higher', 'steps_per_task tool_error_ratio loop_ratio cost_per_task_usd'),
  ]),
  // Labels by name have no worse side: a declared line gives one.
  feedback: new Map([
    ...each('neither', 'mean rate names_evaluated labels_left_out'),
    ...each('lower', 'label_coverage corpus'),
  ]),
}

/**
 * Finds which way a metric gets worse.
 *
 * @returns undefined where the family has no such metric; a metric of `custom_metrics` is neither
 *   good nor bad
 */
export function worseSide(family: string, metric: string): WorseSide | undefined {
  if (family === 'performance' && metric.startsWith('custom.')) return 'neither'
  return METRICS[family]?.get(metric)
}
