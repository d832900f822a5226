"""Writes test/golden/isolation-forest.json: scores by scikit-learn's IsolationForest.

    pip install scikit-learn==1.9.1
    python scripts/golden/isolation.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.ensemble import IsolationForest
from sklearn.ensemble._iforest import _average_path_length

rng = np.random.default_rng(7)
known = np.column_stack([rng.normal(0, 1, 400), rng.exponential(10, 400), rng.integers(0, 5, 400)])
asked = np.column_stack([rng.normal(0, 1, 190), rng.exponential(10, 190), rng.integers(0, 5, 190)])
odd = np.array([[6, 5, 1], [0, 200, 2], [0, 5, 40], [-7, 90, 0], [4, 60, 9]] * 2) + rng.normal(0, 0.3, (10, 3))
known, asked = known.round(4), np.vstack([asked, odd]).round(4)
# The mean over many forests: what one of them would say without its own chance.
scores = np.mean([-IsolationForest(n_estimators=100, random_state=seed).fit(known).score_samples(asked) for seed in range(20)], axis=0)
sizes = [1, 2, 3, 10, 256, 1000]
out = Path(__file__).parent.parent.parent / "test" / "golden" / "isolation-forest.json"
out.write_text(json.dumps({
    "sklearn": sklearn.__version__,
    "known": known.tolist(),
    "asked": asked.tolist(),
    "scores": scores.round(8).tolist(),
    "paths": {str(n): float(v) for n, v in zip(sizes, _average_path_length(np.array(sizes)))},
}) + "\n")
