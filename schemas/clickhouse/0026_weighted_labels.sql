-- Labels that were drawn for review are weighted, and method says so.
ALTER TABLE window_metrics {on_cluster}
    COMMENT COLUMN method 'How labels were used: observed, weighted by their inclusion probabilities, poststratified, or estimated without them (cbpe, dle).',
    COMMENT COLUMN n_effective 'Independent events that sampled events, or labels drawn for review, are worth. NULL where nothing was sampled.';
ALTER TABLE window_metrics_latest {on_cluster}
    COMMENT COLUMN method 'How labels were used: observed, weighted by their inclusion probabilities, poststratified, or estimated without them (cbpe, dle).',
    COMMENT COLUMN n_effective 'Independent events that sampled events, or labels drawn for review, are worth. NULL where nothing was sampled.';
