"""What the public check has stored: fixtures, answers where torch has no function, and the numbers
that known mistakes give.

One JSON file a chapter, made from tools/answers by `python -m tools.fingerprints`. It holds
numbers only, never code. It is committed because an installation from the repository needs it.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
from dataclasses import dataclass
from typing import Any

import torch

from .drivers import Outcome
from .naming import KnownMistake, Numbers, Signature
from .plan import Fixture, Key
from .report import Mistake
from .results import Arrays


@dataclass(frozen=True)
class Stored:
    """What is stored for one exercise.

    Attributes:
        fixtures: sets of inputs and cotangents; mistakes are recognised by the first two.
        answers: right results by call, for calls that torch has no function for.
        mistakes: known mistakes and what they give.
    """

    fixtures: tuple[Fixture, ...]
    answers: dict[Key, Outcome]
    mistakes: tuple[KnownMistake, ...]


@functools.cache
def load(chapter: str) -> dict[str, Stored]:
    """What is stored for a chapter's exercises, by name."""
    folder = importlib.resources.files(__package__) / "fingerprints"
    content = json.loads((folder / f"{chapter}.json").read_text(encoding="utf-8"))
    return {name: _stored(entry) for name, entry in content.items()}


def _stored(entry: dict[str, Any]) -> Stored:
    fixtures = tuple(
        Fixture(arrays_of(each["inputs"]), arrays_of(each["cotangents"]))
        for each in entry["fixtures"]
    )
    answers = {_key(call): Outcome(*_parts(call)) for call in entry["answers"]}
    mistakes = tuple(
        KnownMistake(
            Mistake(m["id"], m["sentence"]), _signature(m["calls"]), _signature(m["parts"])
        )
        for m in entry["mistakes"]
    )
    return Stored(fixtures, answers, mistakes)


def _signature(calls: list[dict[str, Any]]) -> Signature:
    return {_key(call): Numbers(*_parts(call)) for call in calls}


def _key(call: dict[str, Any]) -> Key:
    return Key(call["driver"], call["probed"], call["case"])


def _parts(call: dict[str, Any]) -> tuple[Arrays, Arrays]:
    return arrays_of(call["results"]), arrays_of(call["gradients"])


def arrays_of(arrays: dict[str, Any]) -> Arrays:
    """Stored arrays as tensors, by name."""
    return {
        name: torch.tensor(a["data"], dtype=getattr(torch, a["dtype"])).view(a["shape"])
        for name, a in arrays.items()
    }
