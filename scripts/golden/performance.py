"""What scikit-learn says of predictions and their truth. Writes test/golden/performance.json.

    python -m venv .venv && .venv/bin/pip install scikit-learn && .venv/bin/python scripts/golden/performance.py
"""

import json
import pathlib
import sys

import numpy as np
import sklearn
from sklearn import metrics

SEED = 20260102
rng = np.random.default_rng(SEED)

classes = np.array(["cat", "dog", "emu", "yak"])
truth = rng.choice(classes, 300, p=[0.5, 0.3, 0.15, 0.05])
guess = np.where(rng.random(300) < 0.7, truth, rng.choice(classes, 300))

score = np.round(rng.beta(2, 3, 400), 2)  # with ties
positive = (rng.random(400) < score).astype(int)

levels = [0.1, 0.5, 0.9]
amount = np.round(rng.gamma(3, 10, 250), 3)
middle = amount + rng.normal(0, 8, 250)
quantiles = np.round(np.stack([middle - 12, middle, middle + 12], axis=1), 3)

rankings = []
for _ in range(40):
    size = int(rng.integers(2, 25))
    rankings.append({"relevance": rng.choice([0, 0, 0, 1, 2], size).tolist(), "score": np.round(rng.random(size), 6).tolist()})
with_relevant = [r for r in rankings if max(r["relevance"]) > 0]


def first_relevant(ranking):
    order = np.argsort(-np.array(ranking["score"]))
    return int(np.flatnonzero(np.array(ranking["relevance"])[order] > 0)[0]) + 1


averages = {}
for average in ["macro", "weighted"]:
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(truth, guess, average=average, zero_division=0)
    averages |= {f"{average}_precision": precision, f"{average}_recall": recall, f"{average}_f1": f1}
precision, recall, f1, _ = metrics.precision_recall_fscore_support(truth, guess, labels=classes, zero_division=0)

golden = {
    "made_by": {"python": sys.version.split()[0], "numpy": np.__version__, "scikit-learn": sklearn.__version__, "seed": SEED},
    "classes": {
        "truth": truth.tolist(),
        "guess": guess.tolist(),
        "values": {"accuracy": metrics.accuracy_score(truth, guess), **averages},
        "by_class": {name: {"precision": precision[i], "recall": recall[i], "f1": f1[i]} for i, name in enumerate(classes)},
    },
    "scores": {
        "truth": positive.tolist(),
        "score": score.tolist(),
        "values": {
            "roc_auc": metrics.roc_auc_score(positive, score),
            "pr_auc": metrics.average_precision_score(positive, score),
            "log_loss": metrics.log_loss(positive, score),
            "brier": metrics.brier_score_loss(positive, score),
        },
    },
    "forecasts": {
        "truth": amount.tolist(),
        "levels": levels,
        "quantiles": quantiles.tolist(),
        "values": {
            "pinball": float(np.mean([metrics.mean_pinball_loss(amount, quantiles[:, i], alpha=level) for i, level in enumerate(levels)])),
            "interval_coverage": float(np.mean((amount >= quantiles[:, 0]) & (amount <= quantiles[:, 2]))),
            "mae": metrics.mean_absolute_error(amount, quantiles[:, 1]),
            "rmse": metrics.root_mean_squared_error(amount, quantiles[:, 1]),
            "r2": metrics.r2_score(amount, quantiles[:, 1]),
            "mape": metrics.mean_absolute_percentage_error(amount, quantiles[:, 1]),
        },
    },
    "rankings": {
        "rankings": rankings,
        "values": {
            "ndcg_at_k": float(np.mean([metrics.ndcg_score([r["relevance"]], [r["score"]], k=10) for r in with_relevant])),
            "hit_rate_at_k": float(np.mean([first_relevant(r) <= 10 for r in with_relevant])),
            "mrr": float(np.mean([1 / first_relevant(r) for r in with_relevant])),
        },
    },
}
path = pathlib.Path(__file__).parent.parent.parent / "test" / "golden" / "performance.json"
path.write_text(json.dumps(golden) + "\n")
print(golden["made_by"])
