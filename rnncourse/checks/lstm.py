"""How the exercises of `rnncourse.lstm` are tried."""

from __future__ import annotations

import torch
from torch import Tensor

from .drivers import DRIVERS, PROBE, Arrays
from .plan import Aspect, Case, Plan, Stage, elsewhere, in_float64, only, without_cotangents
from .relations import SUM_OF_BIASES, SUM_OF_FORGET_BLOCKS

SIZES = (
    {"T": 5, "N": 2, "I": 3, "H": 4},
    {"T": 3, "N": 5, "I": 4, "H": 2},
    {"T": 11, "N": 2, "I": 1, "H": 1},
    {"T": 2, "N": 1, "I": 3, "H": 3},
)
"""The sizes of the stored fixtures. In the first two all four differ, so that no axis can pass for
another; the others are what a loop or a squeeze may stumble over."""

WITHIN_TANH, BEYOND_ONE = 29 / 30, 29 / 10
"""Factors of the float64 inputs, for cells and for functions that only move numbers."""

SHAPES = "shapes"

_WEIGHTS = {"w_ih": ("4H", "I"), "w_hh": ("4H", "H"), "b_ih": ("4H",), "b_hh": ("4H",)}
_BY_GATE = {
    **{f"w_{gate}": ("H", "H+I") for gate in "fico"},
    **{f"b_{gate}": ("H",) for gate in "fico"},
}


def _torch_lstm_cell(x: Tensor, h: Tensor, c: Tensor, **weights: Tensor) -> tuple[Tensor, Tensor]:
    return torch.lstm_cell(x, (h, c), **weights)


def _torch_lstm(x: Tensor, h0: Tensor, c0: Tensor, **weights: Tensor) -> object:
    states, packed = (h0[None], c0[None]), list(weights.values())
    output, h_n, c_n = torch.lstm(x, states, packed, True, 1, 0.0, False, False, False)
    return output, (h_n[0], c_n[0])


def _shapes(exercise: str, first: Arrays, second: Arrays) -> Stage:
    """The stage that opens every plan; without it the others have nothing to say."""
    return _both(SHAPES, "shapes", exercise, "", *_whole(first, second))


def _ends(
    exercise: str, fixtures: tuple[Arrays, ...], after: str, factor: float = WITHIN_TANH
) -> list[Stage]:
    """The stages that close every plan.

    Args:
        after: the stage of the values, without which there is no more to learn.
        factor: what the inputs are multiplied by in float64.
    """
    first, second, *odd = fixtures
    sizes = [(f"odd sizes {k}", without_cotangents(f)) for k, f in enumerate(odd, start=1)]
    double, meta = in_float64(first, factor), elsewhere(first)
    unchanged = _whole(first, second)
    return [
        _both("odd sizes", "values", exercise, after, *sizes),
        _both("float64 in, float64 out", "values", exercise, after, ("float64", double)),
        _both("stays on the device", "device", exercise, after, ("another device", meta)),
        _both("leaves its inputs unchanged", "unchanged", exercise, SHAPES, *unchanged),
    ]


def _both(
    title: str, aspect: Aspect, exercise: str, after: str, *calls: tuple[str, Arrays]
) -> Stage:
    """A stage on these calls, or on the same ones with a probe where the exercise has one."""
    plain, probed = (
        tuple(Case(label, driver, arrays) for label, arrays in calls)
        for driver in (exercise, exercise + PROBE)
    )
    return Stage(title, aspect, plain, probed if exercise + PROBE in DRIVERS else (), after)


def _values(exercise: str, terms: dict[str, Arrays]) -> list[Stage]:
    """A stage for each term alone."""
    return [_both(k, "values", exercise, SHAPES, (k, arrays)) for k, arrays in terms.items()]


def _whole(first: Arrays, second: Arrays) -> tuple[tuple[str, Arrays], tuple[str, Arrays]]:
    return ("fixture 1", first), ("fixture 2", second)


def _lstm_cell(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "lstm_cell", "all terms together"
    whole = _whole(first, second)
    terms = {
        "only the biases": only(first, "b_ih", "b_hh"),
        "only x and its weights": only(first, "x", "w_ih"),
        "only h and its weights": only(first, "h", "w_hh"),
        "only the old cell state c": only(first, "c"),
    }
    batch = {k: v[:1] if k in "xhc" else v for k, v in without_cotangents(first).items()}
    return [
        _shapes(name, first, second),
        *_values(name, terms),
        _both(values, "values", name, SHAPES, *whole),
        _both("gradients", "gradients", name, values, *whole),
        _both("a batch of one", "values", name, values, ("a batch of one", batch)),
        *_ends(name, fixtures, values),
    ]


def _lstm_layer(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "lstm_layer", "whole sequences"
    whole = _whole(first, second)
    inputs = without_cotangents(first)
    one_step = inputs | {"x": inputs["x"][:1]}
    one_sequence = inputs | {
        "x": inputs["x"][:, :1],
        "h0": inputs["h0"][:1],
        "c0": inputs["c0"][:1],
    }
    return [
        _shapes(name, first, second),
        _both("a sequence of one step", "values", name, SHAPES, ("one step", one_step)),
        _both(values, "values", name, SHAPES, *whole),
        _both("gradients", "gradients", name, values, *whole),
        _both("a batch of one", "values", name, values, ("a batch of one", one_sequence)),
        *_ends(name, fixtures, values),
    ]


def _pack_gates(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "pack_gates", "weights and biases"
    whole = _whole(first, second)
    inputs = without_cotangents(first)
    terms = {
        "only the weights": only(first, *(k for k in inputs if k.startswith("w"))),
        "only the biases": only(first, *(k for k in inputs if k.startswith("b"))),
    }
    return [
        _shapes(name, first, second),
        *_values(name, terms),
        _both(values, "values", name, SHAPES, *whole),
        _both("gradients", "gradients", name, values, *whole),
        *_ends(name, fixtures, values, BEYOND_ONE),
    ]


def _unpack_gates(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "unpack_gates", "weights and biases"
    whole = _whole(first, second)
    terms = {
        "only w_ih": only(first, "w_ih"),
        "only w_hh": only(first, "w_hh"),
        "only the biases": only(first, "b_ih", "b_hh"),
    }
    return [
        _shapes(name, first, second),
        *_values(name, terms),
        _both(values, "values", name, SHAPES, *whole),
        _both("gradients", "gradients", name, values, *whole),
        *_ends(name, fixtures, values, BEYOND_ONE),
    ]


def _set_forget_bias(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "set_forget_bias", "the forget gate's biases"
    values_of = {f"value {v}": first | {"value": torch.tensor(v)} for v in (0.0, 2.5)}
    return [
        _shapes(name, first, second),
        _both(values, "values", name, SHAPES, *_whole(first, second)),
        _both("zero and a large value", "values", name, SHAPES, *values_of.items()),
        *_ends(name, fixtures, values, BEYOND_ONE),
    ]


PLANS = {
    plan.exercise: plan
    for plan in (
        Plan(
            "lstm_cell",
            {"x": ("N", "I"), "h": ("N", "H"), "c": ("N", "H"), **_WEIGHTS},
            {"h'": ("N", "H"), "c'": ("N", "H")},
            _lstm_cell,
            oracle=_torch_lstm_cell,
        ),
        Plan(
            "lstm_layer",
            {"x": ("T", "N", "I"), "h0": ("N", "H"), "c0": ("N", "H"), **_WEIGHTS},
            {"output": ("T", "N", "H"), "h_n": ("N", "H"), "c_n": ("N", "H")},
            _lstm_layer,
            oracle=_torch_lstm,
        ),
        Plan("pack_gates", _BY_GATE, _WEIGHTS, _pack_gates, SUM_OF_BIASES),
        Plan("unpack_gates", _WEIGHTS, _BY_GATE, _unpack_gates),
        Plan(
            "set_forget_bias",
            {"b_ih": ("4H",), "b_hh": ("4H",), "value": ()},
            {"b_ih": ("4H",), "b_hh": ("4H",)},
            _set_forget_bias,
            SUM_OF_FORGET_BLOCKS,
            gradients=False,
        ),
    )
}
