"""How the exercises of `rnncourse.models` are tried.

Arrays hold numbers only: a word travels as its place in a table, a list of lists as a matrix.

An exercise that has several sides to it has several drivers. Its own looks at all sides at once: by
its numbers mistakes are recognised. The others look at one side each, for a stage that speaks of
nothing else.
"""

from .decoding import greedy_decode
from .loss import masked_cross_entropy
from .padding import pad
from .sampling import sample_next
from .states import flatten_states
from .vocabulary import build_vocabulary

__all__ = [
    "build_vocabulary",
    "flatten_states",
    "greedy_decode",
    "masked_cross_entropy",
    "pad",
    "sample_next",
]
