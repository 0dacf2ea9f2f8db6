"""How the exercises of `rnncourse.lstm` are tried."""

from __future__ import annotations

import torch
from torch import Tensor

from .drivers import DRIVERS, PROBE, Arrays
from .plan import Aspect, Case, Plan, Stage, cast, only, without_cotangents
from .relations import SUM_OF_BIASES, SUM_OF_FORGET_BLOCKS

SIZES = ({"T": 5, "N": 2, "I": 3, "H": 4}, {"T": 3, "N": 5, "I": 4, "H": 2})
"""The sizes of the stored fixtures: all four differ in each, and no axis can pass for another."""

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


def _ends(exercise: str, first: Arrays, whole: tuple[Case, ...], after: str) -> list[Stage]:
    """The stages that close every plan.

    Args:
        after: the stage of the values, without which there is no more to learn.
    """
    double, meta = cast(first, torch.float64), cast(first, "meta")
    return [
        _both("keeps float64", "dtype", exercise, after, ("float64", double)),
        Stage("keeps the device", "device", (Case("another device", exercise, meta),), after=after),
        Stage("leaves its inputs unchanged", "unchanged", whole),
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


def _whole(driver: str, first: Arrays, second: Arrays) -> tuple[Case, Case]:
    return Case("fixture 1", driver, first), Case("fixture 2", driver, second)


def _lstm_cell(first: Arrays, second: Arrays) -> list[Stage]:
    name, values = "lstm_cell", "all terms together"
    whole = _whole(name, first, second)
    terms = {
        "only the biases": only(first, "b_ih", "b_hh"),
        "only x and its weights": only(first, "x", "w_ih"),
        "only h and its weights": only(first, "h", "w_hh"),
        "only c": only(first, "c"),
    }
    batch = {k: v[:1] if k in "xhc" else v for k, v in without_cotangents(first).items()}
    return [
        Stage("shapes", "shapes", whole),
        *(Stage(k, "values", (Case(k, name, v),)) for k, v in terms.items()),
        Stage(values, "values", whole),
        Stage("gradients", "gradients", whole, after=values),
        Stage("a batch of one", "values", (Case("a batch of one", name, batch),), after=values),
        *_ends(name, first, whole, values),
    ]


def _lstm_layer(first: Arrays, second: Arrays) -> list[Stage]:
    name, values = "lstm_layer", "whole sequences"
    inputs = without_cotangents(first)
    one_step = inputs | {"x": inputs["x"][:1]}
    one_sequence = inputs | {
        "x": inputs["x"][:, :1],
        "h0": inputs["h0"][:1],
        "c0": inputs["c0"][:1],
    }

    whole = ("fixture 1", first), ("fixture 2", second)
    return [
        Stage("shapes", "shapes", _whole(name, first, second)),
        _both("a sequence of one step", "values", name, "", ("one step", one_step)),
        _both(values, "values", name, "", *whole),
        _both("gradients", "gradients", name, values, *whole),
        _both("a batch of one", "values", name, values, ("a batch of one", one_sequence)),
        *_ends(name, first, _whole(name, first, second), values),
    ]


def _pack_gates(first: Arrays, second: Arrays) -> list[Stage]:
    name, values = "pack_gates", "weights and biases"
    whole = _whole(name, first, second)
    inputs = without_cotangents(first)
    weights = only(first, *(k for k in inputs if k.startswith("w")))
    biases = only(first, *(k for k in inputs if k.startswith("b")))
    return [
        Stage("shapes", "shapes", whole),
        Stage("only the weights", "values", (Case("only the weights", name, weights),)),
        Stage("only the biases", "values", (Case("only the biases", name, biases),)),
        Stage(values, "values", whole),
        Stage("gradients", "gradients", whole, after=values),
        *_ends(name, first, whole, values),
    ]


def _unpack_gates(first: Arrays, second: Arrays) -> list[Stage]:
    name, values = "unpack_gates", "weights and biases"
    whole = _whole(name, first, second)
    terms = {
        "only w_ih": only(first, "w_ih"),
        "only w_hh": only(first, "w_hh"),
        "only the biases": only(first, "b_ih", "b_hh"),
    }
    return [
        Stage("shapes", "shapes", whole),
        *(Stage(k, "values", (Case(k, name, v),)) for k, v in terms.items()),
        Stage(values, "values", whole),
        Stage("gradients", "gradients", whole, after=values),
        *_ends(name, first, whole, values),
    ]


def _set_forget_bias(first: Arrays, second: Arrays) -> list[Stage]:
    name, values = "set_forget_bias", "the forget gate's biases"
    whole = _whole(name, first, second)
    zero = first | {"value": torch.tensor(0.0)}
    return [
        Stage("shapes", "shapes", whole),
        Stage(values, "values", whole),
        Stage("a value of zero", "values", (Case("a value of zero", name, zero),)),
        *_ends(name, first, whole, values),
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
