"""What NannyML estimates of a window whose labels are not in. Writes test/golden/estimates.json.

    python -m venv .venv && .venv/bin/pip install nannyml statsmodels && .venv/bin/python scripts/golden/estimates.py
"""

import json
import os
import pathlib
import sys

# Else it reports its use to its makers.
os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import lightgbm
import nannyml
import numpy as np
import pandas as pd
import sklearn

SEED = 20260103
WORTH = {"tp": 5, "fp": -2, "fn": -10, "tn": 0}
rng = np.random.default_rng(SEED)


def scored(n, a, b):
    """Scores on a grid of hundredths, whose truth comes as they say to the power of 1.5."""
    score = (np.floor(100 * rng.beta(a, b, n)) + 0.5) / 100
    return pd.DataFrame({"score": score, "guess": (score >= 0.5).astype(int), "truth": (rng.random(n) < score**1.5).astype(int)})


def bins(frame):
    return [
        {"score": score, "guess": int(guess), "n": len(rows), "positives": int(rows.truth.sum())}
        for (score, guess), rows in frame.groupby(["score", "guess"])
    ]


def value(found, metric):
    return float(found[(metric, "value")].iloc[0])


def cbpe():
    reference, current = scored(20_000, 2, 3), scored(3000, 3, 2)
    metrics = ["accuracy", "precision", "recall", "f1", "business_value", "roc_auc"]
    estimator = nannyml.CBPE(
        metrics=metrics,
        y_pred_proba="score",
        y_pred="guess",
        y_true="truth",
        problem_type="classification_binary",
        chunk_number=1,
        business_value_matrix=[[WORTH["tn"], WORTH["fp"]], [WORTH["fn"], WORTH["tp"]]],
    )
    estimator.fit(reference)
    # Without its calibration NannyML would take scores at their word.
    assert estimator.needs_calibration
    # Its business value "per_prediction" divides by the predictions of each class: the total is divided here.
    found = estimator.estimate(current.drop(columns="truth")).filter(period="analysis").to_df()
    return {
        "worth": WORTH,
        "reference": bins(reference),
        "current": [{**one, "positives": 0} for one in bins(current)],
        "values": {metric: value(found, metric) for metric in metrics} | {"business_value": value(found, "business_value") / len(current)},
    }


def regressed(n, center):
    """Far from the middle, and of kind 1, the model errs more."""
    x = np.round(rng.normal(center, 1, n), 3)
    kind = (rng.random(n) < 0.3).astype(int)
    guess = np.round(3 * x, 3)
    truth = np.round(guess + rng.normal(0, 1, n) * (0.5 + np.abs(x) + 2 * kind), 3)
    return pd.DataFrame({"x": x, "kind": kind, "guess": guess, "truth": truth})


def dle():
    reference = regressed(2000, 0)
    cases = []
    for center in (0, 1):
        current = regressed(1000, center)
        estimator = nannyml.DLE(feature_column_names=["x", "kind"], y_pred="guess", y_true="truth", metrics=["mae", "rmse"], chunk_number=1)
        estimator.fit(reference)
        found = estimator.estimate(current.drop(columns="truth")).filter(period="analysis").to_df()
        cases.append(
            {
                "rows": current[["x", "kind", "guess"]].values.tolist(),
                "values": {metric: value(found, metric) for metric in ("mae", "rmse")},
                "truth": {"mae": float((current.truth - current.guess).abs().mean()), "rmse": float(np.sqrt(((current.truth - current.guess) ** 2).mean()))},
            }
        )
    return {"reference": reference[["x", "kind", "guess", "truth"]].values.tolist(), "cases": cases}


golden = {
    "made_by": {
        "python": sys.version.split()[0],
        "nannyml": nannyml.__version__,
        "scikit-learn": sklearn.__version__,
        "lightgbm": lightgbm.__version__,
        "numpy": np.__version__,
        "seed": SEED,
    },
    "cbpe": cbpe(),
    "dle": dle(),
}
path = pathlib.Path(__file__).parent.parent / "test" / "golden" / "estimates.json"
path.write_text(json.dumps(golden) + "\n")
print(golden["made_by"])
