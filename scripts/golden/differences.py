"""Welch's interval of a difference of means by SciPy. Writes test/golden/mean-difference.json.

    python -m venv .venv && .venv/bin/pip install scipy && .venv/bin/python scripts/golden/differences.py
"""

import json
import pathlib

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(20260101)
cases = []
for n, m, shift, scale in [(2, 4, 0.1, 0.01), (3, 3, -0.05, 0.2), (6, 2, 0, 1), (4, 12, 3, 0.5)]:
    before = np.round(rng.normal(0.7, scale, n), 4)
    after = np.round(rng.normal(0.7 + shift, scale * 2, m), 4)
    interval = stats.ttest_ind(after, before, equal_var=False).confidence_interval(0.95)
    cases.append({"before": before.tolist(), "after": after.tolist(), "low": interval.low, "high": interval.high})

path = pathlib.Path(__file__).parent.parent.parent / "test/golden/mean-difference.json"
path.write_text(json.dumps({"versions": {"scipy": scipy.__version__, "numpy": np.__version__}, "cases": cases}, indent=2) + "\n")
