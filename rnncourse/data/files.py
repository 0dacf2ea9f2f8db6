"""Real data in small files, read without a network: README.md says where each comes from."""

from __future__ import annotations

import csv
import gzip
import lzma
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

FOLDER = Path(__file__).parent / "stored"
THOUSANDTHS = 1000
"""Numbers of utterances are stored as whole thousandths."""


class Weather(NamedTuple):
    """A place's weather, day by day.

    Attributes:
        days: D dates, such as "2012-01-01", without a gap.
        values: (D, 4), a column for each of `names`.
        names: of the columns, with their units.

    Example:
        >>> import torch
        >>> Weather(["2012-01-01"], torch.zeros(1, 4), ["rain", "high", "low", "wind"]).values.shape
        torch.Size([1, 4])
    """

    days: Sequence[str]
    values: Tensor
    names: Sequence[str]


class Utterances(NamedTuple):
    """Spoken vowels: sequences of different lengths, each with its speaker.

    Attributes:
        sequences: K tensors (T, 12) of different T.
        speakers: (K,), a number from 0 to 8 for each.

    Example:
        >>> import torch
        >>> Utterances([torch.zeros(7, 12)], torch.tensor([3])).speakers.tolist()
        [3]
    """

    sequences: Sequence[Tensor]
    speakers: Tensor


COLUMNS = ("rain, mm", "highest, °C", "lowest, °C", "wind, m/s")


def seattle_weather() -> Weather:
    """The weather of Seattle from 2012 to 2015: 1,461 days.

    Example:
        >>> weather = seattle_weather()
        >>> weather.values.shape, weather.days[0], weather.days[-1]
        (torch.Size([1461, 4]), '2012-01-01', '2015-12-31')
        >>> weather.names[0], f"{weather.values[1, 0]:.1f}"
        ('rain, mm', '10.9')
    """
    with gzip.open(FOLDER / "seattle-weather.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    values = torch.tensor([[float(number) for number in row[1:5]] for row in rows])
    return Weather([row[0].replace("/", "-") for row in rows], values, COLUMNS)


def japanese_vowels() -> tuple[Utterances, Utterances]:
    """Two vowels, spoken by nine men: 270 utterances to learn from, and 370 to be asked about.

    A step is a short piece of sound, described by 12 numbers (LPC cepstrum coefficients). An
    utterance has 7 to 29 steps.

    Example:
        >>> train, test = japanese_vowels()
        >>> len(train.sequences), len(test.sequences), train.sequences[0].shape
        (270, 370, torch.Size([20, 12]))
        >>> train.speakers.bincount().tolist()
        [30, 30, 30, 30, 30, 30, 30, 30, 30]
    """
    with np.load(FOLDER / "japanese-vowels.npz") as stored:
        steps = torch.from_numpy(stored["thousandths"]).float() / THOUSANDTHS
        lengths, speakers = stored["lengths"].tolist(), torch.from_numpy(stored["speakers"]).long()
        learned_from = int(stored["train"])
    sequences = steps.split(lengths)
    return (
        Utterances(sequences[:learned_from], speakers[:learned_from]),
        Utterances(sequences[learned_from:], speakers[learned_from:]),
    )


def python_documentation() -> str:
    """Pages of Python 3.11's documentation, in English and in ASCII: 465,000 characters.

    Example:
        >>> text = python_documentation()
        >>> len(text), text[:22]
        (465..., 'The "assert" statement')
    """
    return lzma.decompress((FOLDER / "python-documentation.txt.xz").read_bytes()).decode("ascii")
