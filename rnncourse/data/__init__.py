"""What lessons and exercises learn from: tasks that are generated, and small files of real data.

Of the files, README.md beside this module says where they come from and under which licence.
"""

from __future__ import annotations

from .files import Utterances, Weather, japanese_vowels, python_documentation, seattle_weather
from .tasks import TINY_ANIMALS, TINY_VERBS, flagged_number, tiny_sentences

__all__ = [
    "TINY_ANIMALS",
    "TINY_VERBS",
    "Utterances",
    "Weather",
    "flagged_number",
    "japanese_vowels",
    "python_documentation",
    "seattle_weather",
    "tiny_sentences",
]
