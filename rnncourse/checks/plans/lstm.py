"""How the exercises of `rnncourse.lstm` are tried."""

from __future__ import annotations

import torch
from torch import Tensor

from ... import lstm as stubs
from ..forbidden_calls import LSTM
from ..plan import Fixture, Plan, Stage, only
from ..relations import SUM_OF_BIASES, SUM_OF_FORGET_BLOCKS
from ..stages import BEYOND_ONE, cell, each_alone, endings, gradients, layer, shapes, stage, whole


def _torch_cell(x: Tensor, h: Tensor, c: Tensor, **weights: Tensor) -> tuple[Tensor, Tensor]:
    return torch.lstm_cell(x, (h, c), **weights)


lstm_cell = Plan(
    stubs.lstm_cell,
    cell(
        {
            "only the biases": (lambda first: only(first, "b_ih", "b_hh"), 0.1),
            "only x and its weights": (lambda first: only(first, "x", "w_ih"), 0.1),
            "only h and its weights": (lambda first: only(first, "h", "w_hh"), 0.1),
            "only the old cell state c": (lambda first: only(first, "c"), 0.1),
        }
    ),
    oracle=_torch_cell,
    forbidden_calls=LSTM,
)


def _probe_cell(
    x: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, Tensor]:
    """No LSTM at all: a function of every number in its arguments, which a correct loop has to
    carry. As in torch's cell, the biases count by their sum."""
    first, second, third, fourth = (x @ w_ih.T + h @ w_hh.T + b_ih + b_hh).chunk(4, dim=1)
    h_next = torch.sin(first - second / 2 + third / 3 - c)
    c_next = c / 2 + torch.cos(second + fourth / 2 - third / 4) + h / 3
    return h_next, c_next


def _torch_layer(x: Tensor, h0: Tensor, c0: Tensor, **weights: Tensor) -> object:
    states, packed = (h0[None], c0[None]), list(weights.values())
    output, h_n, c_n = torch.lstm(x, states, packed, True, 1, 0.0, False, False, False)
    return output, (h_n[0], c_n[0])


lstm_layer = Plan(
    stubs.lstm_layer,
    layer("h0", "c0"),
    probes={"lstm_cell": _probe_cell},
    oracle=_torch_layer,
    forbidden_calls=LSTM,
)


def _pack_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values = "weights and biases"
    weights = only(first, *(f"w_{gate}" for gate in "fico"))
    biases = only(first, *(f"b_{gate}" for gate in "fico"))
    return [
        shapes(first, second),
        *each_alone({"only the weights": (weights, 0.2), "only the biases": (biases, 0.2)}),
        stage(values, *whole(first, second), weight=0.3),
        gradients(first, second, values, weight=0.1),
        *endings(fixtures, values, BEYOND_ONE),
    ]


pack_gates = Plan(stubs.pack_gates, _pack_stages, relation=SUM_OF_BIASES)


def _unpack_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values = "weights and biases"
    terms = {
        "only w_ih": (only(first, "w_ih"), 0.1),
        "only w_hh": (only(first, "w_hh"), 0.1),
        "only the biases": (only(first, "b_ih", "b_hh"), 0.2),
    }
    return [
        shapes(first, second),
        *each_alone(terms),
        stage(values, *whole(first, second), weight=0.3),
        gradients(first, second, values, weight=0.1),
        *endings(fixtures, values, BEYOND_ONE),
    ]


unpack_gates = Plan(stubs.unpack_gates, _unpack_stages)


def _forget_bias_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values = "the forget gate's biases"
    others = {f"value {v}": first.inputs | {"value": torch.tensor(v)} for v in (0.0, 2.5)}
    return [
        shapes(first, second),
        stage(values, *whole(first, second), weight=0.6),
        stage("zero and a large value", *others.items(), weight=0.2),
        *endings(fixtures, values, BEYOND_ONE),
    ]


set_forget_bias = Plan(
    stubs.set_forget_bias,
    _forget_bias_stages,
    relation=SUM_OF_FORGET_BLOCKS,
    gradients=False,
)
