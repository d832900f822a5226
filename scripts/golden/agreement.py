"""Coefficients of agreement by trusted software, that ours are held against. Writes test/golden/agreement.json.

    python -m venv .venv && .venv/bin/pip install scikit-learn statsmodels krippendorff && .venv/bin/python scripts/golden/agreement.py
"""

import importlib.metadata
import json
import pathlib
import sys

import krippendorff
import numpy as np
import sklearn
import statsmodels
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa

SEED = 20260202
rng = np.random.default_rng(SEED)


def cohen(k, n, agreeing):
    a = rng.integers(0, k, n)
    b = np.where(rng.random(n) < agreeing, a, rng.integers(0, k, n))
    table = np.zeros((k, k), dtype=int)
    np.add.at(table, (a, b), 1)
    found = {}
    for name, of_sklearn, of_statsmodels in [("none", None, None), ("linear", "linear", np.arange(k)), ("quadratic", "quadratic", np.arange(k) ** 2)]:
        theirs = cohens_kappa(table) if of_statsmodels is None else cohens_kappa(table, wt="linear" if name == "linear" else "quadratic")
        found[name] = {"kappa": float(cohen_kappa_score(a, b, weights=of_sklearn, labels=range(k))), "standard_error": float(theirs.std_kappa)}
        assert abs(found[name]["kappa"] - theirs.kappa) < 1e-9, (name, found[name], theirs.kappa)
    return {"table": table.tolist(), **found}


def fleiss(items, raters, k):
    counts = rng.multinomial(raters, rng.dirichlet(np.ones(k) * 0.5), items)
    return {"counts": counts.tolist(), "kappa": float(fleiss_kappa(counts))}


def alpha(items, k, most):
    """Every item has its own number of answers, from none on."""
    values = np.sort(rng.choice(np.arange(1, 30), k, replace=False)).astype(float)
    counts = np.array([rng.multinomial(rng.integers(0, most + 1), rng.dirichlet(np.ones(k) * 0.4)) for _ in range(items)])
    levels = {level: float(krippendorff.alpha(value_counts=counts, value_domain=values, level_of_measurement=level)) for level in ["nominal", "ordinal", "interval"]}
    return {"counts": counts.tolist(), "values": values.tolist(), **levels}


golden = {
    "made_by": {
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "statsmodels": statsmodels.__version__,
        "krippendorff": importlib.metadata.version("krippendorff"),
        "seed": SEED,
    },
    "cohen": [cohen(2, 60, 0.7), cohen(4, 200, 0.5), cohen(5, 40, 0.9)],
    "fleiss": [fleiss(30, 3, 2), fleiss(80, 5, 4)],
    "krippendorff": [alpha(25, 3, 4), alpha(60, 5, 3), alpha(12, 2, 6)],
}
path = pathlib.Path(__file__).parent.parent.parent / "test" / "golden" / "agreement.json"
path.write_text(json.dumps(golden) + "\n")
print(golden["made_by"])
