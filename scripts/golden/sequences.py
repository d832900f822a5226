"""
Confidence sequences of confseq, the package of the method's authors, for
lib/stats/intervals/confidence-sequence.test.ts:

    python -m venv .venv && .venv/bin/pip install 'numpy<2' scipy pandas matplotlib multiprocess confseq && .venv/bin/python scripts/golden/sequences.py

Its sets are those of a grid of means, here of 4 000: ends may lie one part of it farther out.
"""

import numpy as np
from confseq.betting import betting_cs

for values in ([float((i * 7) % 10 < 6) for i in range(300)], [((i * 37) % 101) / 100 for i in range(500)]):
    low, high = betting_cs(np.array(values), alpha=0.05, breaks=4000, running_intersection=True, trunc_scale=0.5, m_trunc=True)
    print(low[-1], high[-1])
