"""How `greedy_decode` is tried: a network of made-up scores that notes how it is called."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import Generator, Tensor

from .... import models as stubs
from ...._exercise import Function, describe
from ...drivers import Driver
from ...plan import Fixture, Plan, Stage
from ...results import WrongResultError, as_int, whole_numbers
from ...sizes import Sizes, integers
from ...stages import stage, whole
from .common import Arguments, different, number

DECODE_ONCE, DECODE_INTS = "once", "ids that are int"
"""Names of drivers."""
NEVER = -1
EXTRA = 4
"""Calls of step beyond max_length after which it ends any sentence: no loop is endless."""


class _Steps:
    """A `step` out of tables: what it says depends on the word and on all words before it.

    Args:
        scores: for each memory and each word that is read, a score for each next word, (K, V, V).
        stop_after: after how many words it says stop; NEVER for never.
    """

    def __init__(
        self, scores: Tensor, start_id: int, stop_id: int, stop_after: int, most: int
    ) -> None:
        self._scores, self._start_id, self._stop_id = scores, start_id, stop_id
        self._stop_after, self._most = stop_after, most
        self._calls = 0
        self.not_an_int: object = None

    def __call__(self, id: Any, state: tuple[int, int]) -> tuple[Tensor, tuple[int, int]]:
        words, memory = state
        self._calls += 1
        if self._calls > 10 * (self._most + EXTRA):
            raise WrongResultError("step is called again and again: does the loop ever stop?")
        if type(id) is not int:
            self.not_an_int = id
        word = operator.index(id)
        logits = self._scores[memory, word].clone()
        stops = words == self._stop_after or self._calls > self._most + EXTRA
        logits[self._start_id] = -9
        logits[self._stop_id] = 9 if stops else -9
        return logits, (words + 1, (memory + word + 1) % len(self._scores))


def _decoded(function: Function, arguments: Arguments) -> tuple[object, _Steps]:
    start_id, stop_id = arguments["start_id"], arguments["stop_id"]
    most = arguments["max_length"]
    steps = _Steps(arguments["scores"], start_id, stop_id, arguments["stop_after"], most)
    ids = function(
        step=steps.__call__,
        state=(0, arguments["memory"]),
        start_id=start_id,
        stop_id=stop_id,
        max_length=most,
    )
    return ids, steps


def _decode_once(function: Function, arguments: Arguments) -> object:
    return _decoded(function, arguments)[0]


def _decode_ints(function: Function, arguments: Arguments) -> int:
    _, steps = _decoded(function, arguments)
    if steps.not_an_int is not None:
        raise WrongResultError(
            f"step takes the id as an int; yours gives it {describe(steps.not_an_int)}: "
            "int(...) or .item() makes an int of a tensor with one element."
        )
    return 1


def _decode_all(function: Function, arguments: Arguments) -> tuple[object, ...]:
    """All sides at once."""
    ids, steps = _decoded(function, arguments)
    never, at_once = ({"stop_after": n} for n in (NEVER, 0))
    same = {"stop_id": arguments["start_id"]}
    return (
        ids,
        *(_decode_once(function, arguments | other) for other in (never, at_once, same)),
        int(steps.not_an_int is None),
    )


_DECODING = {"memory": int, "start_id": int, "stop_id": int, "max_length": int, "stop_after": int}


def _score_tables(sizes: Sizes, generator: Generator) -> Tensor:
    """In no row are two scores equal, so that there is one likeliest word."""
    words = sizes["V"]
    return torch.rand(sizes["K"], words, words, generator=generator).argsort(-1) / 64


def _decode_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *odd = fixtures
    values = "all of it together"

    def decoding(title: str, weight: float, **other: int) -> Stage:
        changed = {k: torch.tensor(v) for k, v in other.items()}
        both = enumerate((first, second), start=1)
        calls = [(f"{title} {k}", fixture.inputs | changed) for k, fixture in both]
        return stage(title, *calls, driver=DECODE_ONCE, after="", weight=weight)

    same = ("one word for both", first.inputs | {"stop_id": first["start_id"]})
    sentence = ("a sentence", first.inputs)
    sizes = [(f"odd sizes {k}", fixture.inputs) for k, fixture in enumerate(odd, start=1)]
    return [
        decoding("one word", 0.15, stop_after=NEVER, max_length=1),
        decoding("words and states go on", 0.2, stop_after=NEVER),
        decoding("the stop word ends it", 0.2),
        decoding("it may stop at once", 0.1, stop_after=0),
        stage("start and stop are one word", same, driver=DECODE_ONCE, after="", weight=0.1),
        stage("step gets an int", sentence, driver=DECODE_INTS, after="", weight=0.1),
        stage(values, *whole(first, second), after="", weight=0.1),
        stage("odd sizes", *sizes, driver=DECODE_ONCE, after=values, weight=0.05),
    ]


def _decode_sizes(generator: Generator) -> list[Sizes]:
    drawn = [dict(zip("KVT", different(3, 5, 11, generator), strict=True)) for _ in range(2)]
    return [*drawn, {"K": 1, "V": 3, "T": 4}, {"K": 2, "V": 12, "T": 1}]


greedy_decode = Plan(
    stubs.greedy_decode,
    _decode_stages,
    inputs={
        "scores": _score_tables,
        "memory": integers(below="K"),
        "start_id": number(lambda s: 0, lambda s: s["V"] // 2),
        "stop_id": number(lambda s: s["V"] // 2, lambda s: s["V"]),
        "max_length": number(lambda s: s["T"], lambda s: s["T"] + 1),
        "stop_after": number(
            lambda s: min(2, s["T"] - 1), lambda s: max(min(2, s["T"] - 1) + 1, s["T"] - 1)
        ),
    },
    only_inputs=True,
    driver=Driver(
        (
            *("ids", "ids where stop never comes", "ids where stop comes at once"),
            *("ids where start and stop are one word", "ids given to step as int"),
        ),
        _DECODING,
        {
            "ids": whole_numbers,
            "ids where stop never comes": whole_numbers,
            "ids where stop comes at once": whole_numbers,
            "ids where start and stop are one word": whole_numbers,
            "ids given to step as int": as_int,
        },
        _decode_all,
    ),
    drivers={
        DECODE_ONCE: Driver("ids", _DECODING, {"ids": whole_numbers}, _decode_once),
        DECODE_INTS: Driver("an int", _DECODING, {"an int": as_int}, _decode_ints),
    },
    gradients=False,
    sizes=(
        {"K": 4, "V": 7, "T": 8},
        {"K": 3, "V": 9, "T": 6},
        {"K": 1, "V": 3, "T": 4},
        {"K": 2, "V": 12, "T": 1},
    ),
    drawn=_decode_sizes,
)
