"""Writes test/golden/novelty.json: nearest neighbours by scikit-learn's NearestNeighbors.

    pip install scikit-learn==1.9.1
    python scripts/golden/novelty.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.neighbors import NearestNeighbors

rng = np.random.default_rng(11)
# Longer than the blocks that distances are summed in, with vectors that come twice.
baseline = rng.normal(0, 1, (120, 70)).round(4)
baseline[7] = baseline[3]
asked = np.vstack([rng.normal(0, 1, (40, 70)), rng.normal(0.9, 1, (40, 70)), baseline[:3]]).round(4)
own = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(baseline).kneighbors(baseline)[0][:, 1]
distances = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(baseline).kneighbors(asked)[0][:, 0]
line = float(np.quantile(own, 0.99))
out = Path(__file__).parent.parent.parent / "test" / "golden" / "novelty.json"
out.write_text(json.dumps({
    "sklearn": sklearn.__version__,
    "numpy": np.__version__,
    "baseline": baseline.tolist(),
    "asked": asked.tolist(),
    "line": line,
    "distances": distances.tolist(),
    "share": float(np.mean(distances > line)),
}) + "\n")
print(f"scikit-learn {sklearn.__version__}, numpy {np.__version__}")
