"""NDCG of feature attributions by scikit-learn, as SageMaker Clarify and Azure ML define their attribution drift:
gains are the baseline's mean absolute attributions, the ranking is the window's. Writes test/golden/attributions.json; `npx prettier --write` it.

    python -m venv .venv && .venv/bin/pip install scikit-learn && .venv/bin/python scripts/golden/attributions.py
"""

import json
import pathlib
import sys

import numpy as np
import sklearn
from sklearn.metrics import ndcg_score

rng = np.random.default_rng(20260101)
cases = []
for features in (2, 3, 10, 50):
    for noise in (0, 0.1, 1, 10):
        baseline = np.round(rng.exponential(1, features), 6)
        current = np.round(np.abs(baseline + noise * rng.normal(0, 1, features)), 2)
        cases.append({"baseline": baseline.tolist(), "current": current.tolist(), "ndcg": float(ndcg_score([baseline], [current]))})
cases.append({"baseline": [0.4, 0.3, 0.0, 0.3], "current": [0.2, 0.2, 0.2, 0.1], "ndcg": float(ndcg_score([[0.4, 0.3, 0.0, 0.3]], [[0.2, 0.2, 0.2, 0.1]]))})

golden = {"made_by": {"python": sys.version.split()[0], "numpy": np.__version__, "scikit-learn": sklearn.__version__}, "ndcg": cases}
path = pathlib.Path(__file__).parent.parent.parent / "test" / "golden" / "attributions.json"
path.write_text(json.dumps(golden, indent=1) + "\n")
print(f"wrote {path}")
