"""Rates behind an imperfect test by the published formula, that ours are held against. Writes test/golden/prevalence.json.

Lang & Reiczigel (2014), Prev. Vet. Med. 113, 13-22, in exact arithmetic but for square roots; the coverage of the interval
is simulated, so that a formula that was read wrong would be seen.

    python -m venv .venv && .venv/bin/pip install scipy numpy mpmath && .venv/bin/python scripts/golden/prevalence.py
"""

import json
import pathlib
import sys

import mpmath
import numpy as np
import scipy
from scipy.stats import norm

SEED = 20260505
rng = np.random.default_rng(SEED)
mpmath.mp.dps = 30


def interval(x, n, a, na, b, nb, confidence):
    z = mpmath.sqrt(2) * mpmath.erfinv(mpmath.mpf(confidence))
    assert abs(float(z) - norm.ppf((1 + confidence) / 2)) < 1e-12
    point = (mpmath.mpf(x) / n + mpmath.mpf(b) / nb - 1) / (mpmath.mpf(a) / na + mpmath.mpf(b) / nb - 1)
    p, se, sp = (x + z**2 / 2) / (n + z**2), mpmath.mpf(a + 1) / (na + 2), mpmath.mpf(b + 1) / (nb + 2)
    pi = (p + sp - 1) / (se + sp - 1)
    v_p, v_se, v_sp = p * (1 - p) / (n + z**2), se * (1 - se) / (na + 2), sp * (1 - sp) / (nb + 2)
    error = mpmath.sqrt(v_p + pi**2 * v_se + (1 - pi) ** 2 * v_sp) / abs(se + sp - 1)
    shift = 2 * z**2 * (pi * v_se - (1 - pi) * v_sp)
    cut = lambda value: float(min(1, max(0, value)))
    return cut(point), cut(pi + shift - z * error), cut(pi + shift + z * error)


def case(x, n, a, na, b, nb, confidence=0.95):
    value, low, high = interval(x, n, a, na, b, nb, confidence)
    return {"positive": [x, n], "sensitivity": [a, na], "specificity": [b, nb], "confidence": confidence, "value": value, "low": low, "high": high}


def coverage(pi, se, sp, n, na, nb, rounds=2000):
    held = 0
    for _ in range(rounds):
        x, a, b = rng.binomial(n, pi * se + (1 - pi) * (1 - sp)), rng.binomial(na, se), rng.binomial(nb, sp)
        if a / na + b / nb <= 1:
            continue
        _, low, high = interval(int(x), n, int(a), na, int(b), nb, 0.95)
        held += low <= pi <= high
    return held / rounds


golden = {
    "made_by": {"python": sys.version.split()[0], "scipy": scipy.__version__, "numpy": np.__version__, "mpmath": mpmath.__version__, "seed": SEED},
    "cases": [
        case(30, 100, 45, 50, 40, 50),
        case(23, 150, 96, 100, 89, 100),
        case(6, 151, 964, 1000, 927, 1000),
        case(0, 40, 10, 10, 10, 10),
        case(40, 40, 10, 12, 9, 11),
        case(120, 400, 17, 20, 60, 64, 0.9),
    ],
    "coverage": {"0.3, 0.85, 0.8": coverage(0.3, 0.85, 0.8, 200, 60, 60), "0.05, 0.95, 0.97": coverage(0.05, 0.95, 0.97, 400, 30, 80)},
}
pathlib.Path("test/golden/prevalence.json").write_text(json.dumps(golden, indent=2) + "\n")
print(golden["made_by"], golden["coverage"])
