"""How the exercises of `rnncourse.rnn` are tried."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from ..drivers import PROBE, Driver, Function
from ..plan import Axes, Plan, Sizes, Stage, only, without_cotangents
from ..ready_made import RNN
from ..results import Arrays, Structure
from ..stages import cell, endings, fixture_calls, layer, shapes, stage

_WEIGHTS = {"w_ih": ("H", "I"), "w_hh": ("H", "H"), "b_ih": ("H",), "b_hh": ("H",)}
_LAYER: Structure = ("output", "h_n")

_ONE_LAYER, _TWO_LAYERS = "stacked_rnn with one layer", "stacked_rnn with two layers"
_WIDTHS = ("H_1", "H_2", "H_top")
_LETTERS = ("T", "N", "I", *_WIDTHS)


def _probe_cell(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> Tensor:
    """No recurrent network's cell: a function of every number in its arguments, which a correct
    loop has to carry. As in torch's cell, the biases count by their sum."""
    return torch.sin(x @ w_ih.T - h @ w_hh.T / 2 + b_ih + b_hh) + h / 3


def _fading_cell(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> Tensor:
    """Another such function, for stacks: half of the old state, and a push that does not depend on
    it. So a whole layer of it needs no loop, and no answer to `rnn_layer` stands here."""
    return h / 2 + _push(x, w_ih, w_hh, b_ih + b_hh)


def _fading_layer(
    x: Tensor, h0: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, Tensor]:
    """The states of `_fading_cell`: a sum of the pushes so far, each halved once a step."""
    ages = torch.arange(len(x) + 1, device=x.device)
    pushes = torch.cat([h0[None], _push(x, w_ih, w_hh, b_ih + b_hh)])
    left = torch.tril(x.new_tensor(0.5) ** (ages[:, None] - ages))
    output = torch.einsum("tk,knh->tnh", left, pushes)[1:]
    return output, output[-1]


def _push(x: Tensor, w_ih: Tensor, w_hh: Tensor, b: Tensor) -> Tensor:
    turned = torch.sin(x @ w_ih.T + b)
    return turned - turned @ w_hh.T / 2


def _of_layer(name: str, number: int) -> str:
    return f"{name} of layer {number}"


def _stack(depth: int, probes: dict[str, Function] | None = None) -> Driver:
    """Calls `stacked_rnn` with so many layers."""
    numbers = range(1, depth + 1)

    def call(function: Function, arguments: dict[str, Any]) -> object:
        h0 = [arguments[_of_layer("h0", k)] for k in numbers]
        layers = [tuple(arguments[_of_layer(name, k)] for name in _WEIGHTS) for k in numbers]
        return function(x=arguments["x"], h0=h0, layers=layers)

    finals = tuple(_of_layer("h_n", k) for k in numbers)
    return Driver(("output", finals), call=call, probes=probes or {})


_FADING = {"rnn_cell": _fading_cell, "rnn_layer": _fading_layer}

DRIVERS = {
    "rnn_cell": Driver("h'"),
    "rnn_layer": Driver(_LAYER),
    "rnn_layer" + PROBE: Driver(_LAYER, probes={"rnn_cell": _probe_cell}),
    "stacked_rnn": _stack(3),
    "stacked_rnn" + PROBE: _stack(3, _FADING),
    _ONE_LAYER: _stack(1),
    _ONE_LAYER + PROBE: _stack(1, _FADING),
    _TWO_LAYERS: _stack(2),
    _TWO_LAYERS + PROBE: _stack(2, _FADING),
}

_TERMS = {
    "only the biases": lambda arrays: only(arrays, "b_ih", "b_hh"),
    "only x and its weights": lambda arrays: only(arrays, "x", "w_ih"),
    "only h and its weights": lambda arrays: only(arrays, "h", "w_hh"),
}


def _torch_rnn_cell(x: Tensor, h: Tensor, **weights: Tensor) -> Tensor:
    return torch.rnn_tanh_cell(x, h, **weights)


def _torch_rnn(x: Tensor, h0: Tensor, **weights: Tensor) -> object:
    packed = list(weights.values())
    output, h_n = torch.rnn_tanh(x, h0[None], packed, True, 1, 0.0, False, False, False)
    return output, h_n[0]


def _stack_inputs() -> dict[str, Axes]:
    """The inputs of a stack of three layers, flat."""
    inputs: dict[str, Axes] = {"x": ("T", "N", "I")}
    below = "I"
    for number, width in enumerate(_WIDTHS, start=1):
        named = {"I": below, "H": width}
        inputs[_of_layer("h0", number)] = ("N", width)
        for name, axes in _WEIGHTS.items():
            inputs[_of_layer(name, number)] = tuple(named[axis] for axis in axes)
        below = width
    return inputs


def _lowest(depth: int, arrays: Arrays) -> Arrays:
    """The inputs of so many layers, from the lowest up."""
    above = tuple(_of_layer("", number) for number in range(depth + 1, len(_WIDTHS) + 1))
    return {k: v for k, v in without_cotangents(arrays).items() if not k.endswith(above)}


def _stacked_rnn(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "stacked_rnn", "three layers"
    calls = fixture_calls(first, second)
    inputs = without_cotangents(first)
    states = {k: v[:1] for k, v in inputs.items() if k.startswith("h0")}
    one = inputs | {"x": inputs["x"][:, :1]} | states
    return [
        shapes(name, first, second),
        stage("one layer", _ONE_LAYER, ("one layer", _lowest(1, first))),
        stage("two layers", _TWO_LAYERS, ("two layers", _lowest(2, first))),
        stage(values, name, *calls),
        stage("gradients", name, *calls, aspect="gradients", after=values),
        stage("a batch of one", name, ("a batch of one", one), after=values),
        *endings(name, fixtures, values),
    ]


_STACKS: tuple[Sizes, ...] = (
    {"T": 4, "N": 2, "I": 3, "H_1": 6, "H_2": 5, "H_top": 7},
    {"T": 3, "N": 4, "I": 5, "H_1": 2, "H_2": 7, "H_top": 6},
    {"T": 11, "N": 2, "I": 1, "H_1": 1, "H_2": 1, "H_top": 1},
    {"T": 1, "N": 1, "I": 3, "H_1": 3, "H_2": 3, "H_top": 3},
)


def _drawn_stacks(generator: Generator) -> list[Sizes]:
    """Sizes like `_STACKS`, drawn anew."""

    def drawn(low: int, high: int) -> list[int]:
        return (torch.randperm(high - low, generator=generator) + low).tolist()

    different = [dict(zip(_LETTERS, drawn(2, 9), strict=False)) for _ in range(2)]
    long, width = drawn(10, 15)[0], drawn(2, 6)[0]
    ones = {"T": long, "N": drawn(2, 6)[0], **dict.fromkeys(("I", *_WIDTHS), 1)}
    return [*different, ones, {"T": 1, "N": 1, **dict.fromkeys(("I", *_WIDTHS), width)}]


PLANS = {
    plan.exercise: plan
    for plan in (
        Plan(
            "rnn_cell",
            {"x": ("N", "I"), "h": ("N", "H"), **_WEIGHTS},
            {"h'": ("N", "H")},
            cell("rnn_cell", _TERMS, batched="xh"),
            oracle=_torch_rnn_cell,
            ready_made=RNN,
        ),
        Plan(
            "rnn_layer",
            {"x": ("T", "N", "I"), "h0": ("N", "H"), **_WEIGHTS},
            {"output": ("T", "N", "H"), "h_n": ("N", "H")},
            layer("rnn_layer", "h0"),
            oracle=_torch_rnn,
            ready_made=RNN,
        ),
        Plan(
            "stacked_rnn",
            _stack_inputs(),
            {
                "output": ("T", "N", "H_top"),
                **{_of_layer("h_n", k): ("N", width) for k, width in enumerate(_WIDTHS, start=1)},
            },
            _stacked_rnn,
            sizes=_STACKS,
            drawn=_drawn_stacks,
            ready_made=RNN,
        ),
    )
}
