"""How the exercises of `rnncourse.lstm` are tried."""

from __future__ import annotations

import torch
from torch import Tensor

from ..drivers import PROBE, Driver
from ..plan import Plan, Stage, only, without_cotangents
from ..ready_made import LSTM
from ..relations import SUM_OF_BIASES, SUM_OF_FORGET_BLOCKS
from ..results import Arrays, Structure
from ..stages import BEYOND_ONE, cell, each_alone, endings, fixture_calls, layer, shapes, stage

_WEIGHTS = {"w_ih": ("4H", "I"), "w_hh": ("4H", "H"), "b_ih": ("4H",), "b_hh": ("4H",)}
_BY_GATE = {
    **{f"w_{gate}": ("H", "H+I") for gate in "fico"},
    **{f"b_{gate}": ("H",) for gate in "fico"},
}


def _probe_cell(
    x: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, Tensor]:
    """No LSTM at all: a function of every number in its arguments, which a correct loop has to
    carry. As in torch's cell, the biases count by their sum."""
    first, second, third, fourth = (x @ w_ih.T + h @ w_hh.T + b_ih + b_hh).chunk(4, dim=1)
    h_next = torch.sin(first - second / 2 + third / 3 - c)
    c_next = c / 2 + torch.cos(second + fourth / 2 - third / 4) + h / 3
    return h_next, c_next


_LAYER: Structure = ("output", ("h_n", "c_n"))

DRIVERS = {
    "lstm_cell": Driver(("h'", "c'")),
    "lstm_layer": Driver(_LAYER),
    "lstm_layer" + PROBE: Driver(_LAYER, probes={"lstm_cell": _probe_cell}),
    "pack_gates": Driver(("w_ih", "w_hh", "b_ih", "b_hh")),
    "unpack_gates": Driver(("w_f", "w_i", "w_c", "w_o", "b_f", "b_i", "b_c", "b_o")),
    "set_forget_bias": Driver(("b_ih", "b_hh"), inputs={"value": float}),
}

_TERMS = {
    "only the biases": lambda arrays: only(arrays, "b_ih", "b_hh"),
    "only x and its weights": lambda arrays: only(arrays, "x", "w_ih"),
    "only h and its weights": lambda arrays: only(arrays, "h", "w_hh"),
    "only the old cell state c": lambda arrays: only(arrays, "c"),
}


def _torch_lstm_cell(x: Tensor, h: Tensor, c: Tensor, **weights: Tensor) -> tuple[Tensor, Tensor]:
    return torch.lstm_cell(x, (h, c), **weights)


def _torch_lstm(x: Tensor, h0: Tensor, c0: Tensor, **weights: Tensor) -> object:
    states, packed = (h0[None], c0[None]), list(weights.values())
    output, h_n, c_n = torch.lstm(x, states, packed, True, 1, 0.0, False, False, False)
    return output, (h_n[0], c_n[0])


def _pack_gates(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "pack_gates", "weights and biases"
    calls = fixture_calls(first, second)
    inputs = without_cotangents(first)
    terms = {
        "only the weights": only(first, *(k for k in inputs if k.startswith("w"))),
        "only the biases": only(first, *(k for k in inputs if k.startswith("b"))),
    }
    return [
        shapes(name, first, second),
        *each_alone(name, terms),
        stage(values, name, *calls),
        stage("gradients", name, *calls, aspect="gradients", after=values),
        *endings(name, fixtures, values, BEYOND_ONE),
    ]


def _unpack_gates(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "unpack_gates", "weights and biases"
    calls = fixture_calls(first, second)
    terms = {
        "only w_ih": only(first, "w_ih"),
        "only w_hh": only(first, "w_hh"),
        "only the biases": only(first, "b_ih", "b_hh"),
    }
    return [
        shapes(name, first, second),
        *each_alone(name, terms),
        stage(values, name, *calls),
        stage("gradients", name, *calls, aspect="gradients", after=values),
        *endings(name, fixtures, values, BEYOND_ONE),
    ]


def _set_forget_bias(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "set_forget_bias", "the forget gate's biases"
    values_of = {f"value {v}": first | {"value": torch.tensor(v)} for v in (0.0, 2.5)}
    return [
        shapes(name, first, second),
        stage(values, name, *fixture_calls(first, second)),
        stage("zero and a large value", name, *values_of.items()),
        *endings(name, fixtures, values, BEYOND_ONE),
    ]


PLANS = {
    plan.exercise: plan
    for plan in (
        Plan(
            "lstm_cell",
            {"x": ("N", "I"), "h": ("N", "H"), "c": ("N", "H"), **_WEIGHTS},
            {"h'": ("N", "H"), "c'": ("N", "H")},
            cell("lstm_cell", _TERMS),
            oracle=_torch_lstm_cell,
            ready_made=LSTM,
        ),
        Plan(
            "lstm_layer",
            {"x": ("T", "N", "I"), "h0": ("N", "H"), "c0": ("N", "H"), **_WEIGHTS},
            {"output": ("T", "N", "H"), "h_n": ("N", "H"), "c_n": ("N", "H")},
            layer("lstm_layer", "h0", "c0"),
            oracle=_torch_lstm,
            ready_made=LSTM,
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
