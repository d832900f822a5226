"""Evidently, NannyML and fairlearn on samples that our interop conventions are held against. Writes test/golden/conventions.json.

    python -m venv .venv && .venv/bin/pip install evidently nannyml fairlearn 'pandas<3' && .venv/bin/python scripts/golden/conventions.py
"""

import json
import os
import pathlib
import sys
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
warnings.filterwarnings("ignore")

import evidently
import fairlearn
import nannyml
import numpy as np
import pandas as pd
import scipy
from evidently.legacy.calculations.stattests import jensenshannon_stat_test, kl_div_stat_test, ks_stat_test, psi_stat_test, wasserstein_stat_test
from evidently.legacy.calculations.stattests.chisquare_stattest import chi_stat_test
from evidently.legacy.calculations.stattests.z_stattest import z_stat_test
from evidently.legacy.core import ColumnType
from fairlearn.metrics import MetricFrame, demographic_parity_difference, demographic_parity_ratio, equalized_odds_difference, false_positive_rate, selection_rate, true_positive_rate
from nannyml.drift.univariate.methods import ContinuousHellingerDistance, ContinuousJensenShannonDistance
from nannyml.thresholds import ConstantThreshold
from scipy import special, stats


def uniforms(seed, n):
    """A generator that any language can repeat."""
    x, out = seed, []
    for _ in range(n):
        x = (1664525 * x + 1013904223) % 2**32
        out.append(x / 2**32)
    return out


def sums_of_four(seed, n):
    u = uniforms(seed, 4 * n)
    return [sum(u[4 * i : 4 * i + 4]) for i in range(n)]


def evidently_score(test, reference, current, kind=ColumnType.Numerical):
    return float(test.func(pd.Series(reference), pd.Series(current), kind, 0.1)[0])


def nannyml_score(method, reference, current):
    m = method(threshold=ConstantThreshold(upper=1), chunker=None)
    m._fit(pd.Series(reference))
    return float(m._calculate(pd.Series(current)))


numeric = []
for n, m in [(1000, 1000), (5000, 500), (5000, 5000)]:
    r = sums_of_four(1, n)
    c = [1.1 * x + 0.05 for x in sums_of_four(2, m)]
    numeric.append(
        {
            "n": n,
            "m": m,
            "evidently": {t.name: evidently_score(t, r, c) for t in [psi_stat_test, jensenshannon_stat_test, kl_div_stat_test, wasserstein_stat_test, ks_stat_test]},
            "nannyml": {"jensen_shannon": nannyml_score(ContinuousJensenShannonDistance, r, c), "hellinger": nannyml_score(ContinuousHellingerDistance, r, c)},
        }
    )
reference = ["a"] * 700 + ["b"] * 250 + ["c"] * 50
current = ["a"] * 300 + ["b"] * 150 + ["c"] * 50
binary = (["x"] * 700 + ["y"] * 300, ["x"] * 330 + ["y"] * 170)

rng = np.random.default_rng(20260101)
truth, guess, group = rng.integers(0, 2, 600), rng.integers(0, 2, 600), rng.choice(["a", "b", "c"], 600, p=[0.6, 0.3, 0.1])
frame = MetricFrame(metrics={"selection_rate": selection_rate, "true_positive_rate": true_positive_rate, "false_positive_rate": false_positive_rate}, y_true=truth, y_pred=guess, sensitive_features=group)
fairness = {
    "truth": truth.tolist(),
    "guess": guess.tolist(),
    "group": group.tolist(),
    "by_group": json.loads(frame.by_group.to_json(orient="index")),
    "demographic_parity_difference": float(demographic_parity_difference(truth, guess, sensitive_features=group)),
    "demographic_parity_ratio": float(demographic_parity_ratio(truth, guess, sensitive_features=group)),
    "equalized_odds_difference": float(equalized_odds_difference(truth, guess, sensitive_features=group)),
}



def scored(seed, n, power):
    """Scores, classes by 0.5, and truths of a model that is not calibrated."""
    u = uniforms(seed, 2 * n)
    s = u[0::2]
    return pd.DataFrame({"s": s, "p": [int(x >= 0.5) for x in s], "y": [int(v < x**power) for x, v in zip(s, u[1::2])]})


def cbpe():
    reference, current = scored(3, 20000, 1.5), scored(4, 20000, 1.5)
    current["s"] = current["s"] ** 1.2
    current["p"] = (current["s"] >= 0.5).astype(int)
    estimator = nannyml.CBPE(problem_type="classification_binary", y_pred_proba="s", y_pred="p", y_true="y", metrics=["accuracy", "roc_auc"], chunk_size=20000)
    result = estimator.fit(reference).estimate(current).filter(period="analysis").to_df()
    return {"accuracy": float(result[("accuracy", "value")].iloc[0]), "roc_auc": float(result[("roc_auc", "value")].iloc[0])}


small = [rng.normal(0, 1, 30).round(2).tolist(), rng.normal(0.7, 1, 25).round(2).tolist()]
golden = {
    "made_by": {"python": sys.version.split()[0], "evidently": evidently.__version__, "nannyml": nannyml.__version__, "fairlearn": fairlearn.__version__, "numpy": np.__version__, "scipy": scipy.__version__},
    "numeric": numeric,
    "categorical": {
        "chi_squared_p": evidently_score(chi_stat_test, reference, current, ColumnType.Categorical),
        "js": evidently_score(jensenshannon_stat_test, reference, current, ColumnType.Categorical),
        "z_p": evidently_score(z_stat_test, *binary, ColumnType.Categorical),
    },
    "cbpe": cbpe(),
    "fairness": fairness,
    "exact": {"a": small[0], "b": small[1], "ks": float(stats.ks_2samp(*small, method="exact").statistic), "ks_p": float(stats.ks_2samp(*small, method="exact").pvalue), "wasserstein": float(stats.wasserstein_distance(*small)), "energy": float(stats.energy_distance(*small))},
    "student_tail": [{"t": t, "degrees": d, "p": float(stats.t.sf(t, d))} for t in [-3, 0, 0.5, 2, 7.3, 40] for d in [0.7, 2, 7, 15.5, 300]],
    "incomplete_beta": [{"a": a, "b": b, "x": x, "value": float(special.betainc(a, b, x))} for a in [0.5, 2, 40] for b in [0.5, 3, 200] for x in [1e-6, 0.1, 0.5, 0.97]],
    "polygamma": [{"x": x, "digamma": float(special.digamma(x)), "trigamma": float(special.polygamma(1, x))} for x in [1e-3, 0.4, 1, 4.5, 13, 1e4]],
}
path = pathlib.Path(__file__).parent.parent.parent / "test" / "golden" / "conventions.json"
path.write_text(json.dumps(golden, indent=1) + "\n")
print(golden["made_by"])
