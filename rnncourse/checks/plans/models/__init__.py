"""How the exercises of `rnncourse.models` are tried.

Arrays hold numbers only: a word travels as its place in TABLE, a list of lists as a matrix.

An exercise that has several sides to it has several drivers. The one with its name looks at all
sides at once: by its numbers mistakes are recognised. The others look at one side each, for a stage
that speaks of nothing else.
"""

from __future__ import annotations

from ...drivers import Driver
from ...plan import Plan
from . import decoding, loss, padding, sampling, states, vocabulary

_PARTS = (vocabulary, padding, states, loss, sampling, decoding)

DRIVERS: dict[str, Driver] = {k: v for part in _PARTS for k, v in part.DRIVERS.items()}
PLANS: dict[str, Plan] = {k: v for part in _PARTS for k, v in part.PLANS.items()}
