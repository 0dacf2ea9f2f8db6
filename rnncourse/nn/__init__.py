"""Modules that run on the filled stubs, with torch's names for arguments and parameters.

They take torch's state dicts as they are. Until the stubs are filled they say which one is missing.
"""

from .embedding import Embedding
from .models import Sentiment, Tagger, Translator, Writer
from .recurrent import GRU, LSTM, RNN, StackedRNN

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Embedding",
    "Sentiment",
    "StackedRNN",
    "Tagger",
    "Translator",
    "Writer",
]
