"""Values of trusted software that our statistics are held against. Writes test/golden/statistics.json.

    python -m venv .venv && .venv/bin/pip install scipy statsmodels scikit-learn && .venv/bin/python scripts/golden/by_scipy.py
"""

import json
import pathlib
import sys

import numpy as np
import scipy
import sklearn
import statsmodels
from scipy import special, stats
from scipy.spatial.distance import pdist
from scipy.stats._morestats import _anderson_ksamp_right
from sklearn.metrics import f1_score, precision_score, recall_score
from sklearn.metrics.pairwise import rbf_kernel
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

SEED = 20260101
rng = np.random.default_rng(SEED)


def two_samples(n, m, shift, decimals):
    return np.round(rng.normal(0, 1, n), decimals).tolist(), np.round(rng.normal(shift, 1, m), decimals).tolist()


samples = [two_samples(n, m, shift, decimals) for n, m, shift, decimals in [(50, 50, 0, 3), (400, 37, 0.3, 2), (200, 500, 1, 1), (30, 900, 0, 0)]]
tables = [([10, 20], [20, 10]), ([700, 250, 50, 0], [300, 150, 40, 10]), ([5, 0, 3], [2, 0, 9]), ([1000, 1], [990, 12])]
proportions = [(8, 10), (0, 20), (20, 20), (1, 3), (480, 1000)]
pairs = [((56, 70), (48, 80)), ((9, 10), (3, 10)), ((0, 20), (0, 10)), ((300, 1000), (250, 1000))]
truth = rng.integers(0, 3, 200)
guess = np.where(rng.random(200) < 0.7, truth, rng.integers(0, 3, 200))


without_ties = [(np.random.default_rng(i).normal(0, 1, 40 + i).tolist(), np.random.default_rng(i + 100).normal(0.2 * i, 1, 70 - 10 * i).tolist()) for i in range(4)]


def chi(a, b):
    table = np.array([a, b])
    table = table[:, table.sum(axis=0) > 0]
    statistic, p, degrees, _ = stats.chi2_contingency(table, correction=False)
    return {"a": a, "b": b, "statistic": statistic, "p": p, "degrees": int(degrees)}


def anderson_darling(a, b):
    """The right-continuous statistic before scipy standardizes it."""
    pooled = np.sort(np.hstack([a, b]))
    return float(_anderson_ksamp_right([np.sort(a), np.sort(b)], pooled, np.unique(pooled), 2, np.array([len(a), len(b)]), len(pooled)))


vectors = [tuple(np.round(np.random.default_rng(i + 200 + side).normal(0.3 * i * side, 1, (30 - 10 * side, 1 + 4 * i)), 3).tolist() for side in (0, 1)) for i in range(3)]


def mmd(a, b):
    distances = np.sort(pdist(a))
    bandwidth = float(distances[len(distances) // 2])
    kernel = lambda x, y: float(rbf_kernel(x, y, gamma=1 / (2 * bandwidth**2)).mean())
    return {"a": a, "b": b, "bandwidth": bandwidth, "mmd": float(np.sqrt(kernel(a, a) + kernel(b, b) - 2 * kernel(a, b)))}


golden = {
    "made_by": {"python": sys.version.split()[0], "numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "scikit-learn": sklearn.__version__, "seed": SEED},
    "kolmogorov": [{"x": x, "sf": float(special.kolmogorov(x))} for x in [0.1, 0.3, 0.5, 0.8, 1.0, 1.17, 1.19, 1.5, 2.0, 3.0, 5.0]],
    "two_samples": [
        {"a": a, "b": b, "ks": float(stats.ks_2samp(a, b).statistic), "wasserstein": float(stats.wasserstein_distance(a, b)), "energy": float(stats.energy_distance(a, b)), "anderson_darling": anderson_darling(a, b), "sd_of_a": float(np.std(a)), "mean_of_a": float(np.mean(a)), "quantile_inverted_cdf": float(np.quantile(a, 0.9, method="inverted_cdf"))}
        for a, b in samples
    ],
    # scipy gives ties their mean rank; without ties the definitions agree.
    "cramer_von_mises": [{"a": a, "b": b, "statistic": float(stats.cramervonmises_2samp(a, b).statistic)} for a, b in without_ties],
    "mmd": [mmd(a, b) for a, b in vectors],
    "chi_squared": [chi(a, b) for a, b in tables],
    "chi_squared_quantile": [{"p": p, "degrees": d, "x": float(stats.chi2.ppf(p, d))} for p in [0.01, 0.5, 0.95, 0.99, 0.9999] for d in [1, 2, 9, 50]],
    "upper_gamma": [{"a": a, "x": x, "q": float(special.gammaincc(a, x))} for a in [0.5, 1, 4.5, 30] for x in [0.01, 0.5, 1, 5, 40, 100]],
    "normal_quantile": [{"p": p, "x": float(stats.norm.ppf(p))} for p in [1e-300, 1e-12, 0.001, 0.07, 0.3, 0.5, 0.9, 0.975, 0.99999]],
    "wilson": [dict(zip(("successes", "n", "low", "high"), (k, n, *map(float, proportion_confint(k, n, 0.05, method="wilson"))))) for k, n in proportions],
    "newcombe": [dict(zip(("a", "b", "low", "high"), (a, b, *map(float, confint_proportions_2indep(*a, *b, compare="diff", method="newcomb"))))) for a, b in pairs],
    "confusion": {
        "truth": truth.tolist(),
        "guess": guess.tolist(),
        "precision": precision_score(truth, guess, average=None).tolist(),
        "recall": recall_score(truth, guess, average=None).tolist(),
        "f1": f1_score(truth, guess, average=None).tolist(),
    },
}
path = pathlib.Path(__file__).parent.parent.parent / "test" / "golden" / "statistics.json"
path.write_text(json.dumps(golden, indent=1) + "\n")
print(golden["made_by"])
