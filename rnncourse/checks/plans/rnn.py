"""How the exercises of `rnncourse.rnn` are tried."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from ... import rnn as stubs
from ..._axes import Axes, declaration
from ..._exercise import Function
from ..drivers import Driver
from ..forbidden_calls import RNN
from ..plan import Fixture, Plan, Stage, only
from ..results import Arrays
from ..sizes import Sizes
from ..stages import cell, endings, gradients, layer, shapes, stage, whole

_WEIGHTS = {
    name: axes
    for name, axes in declaration(stubs.rnn_cell).arguments.items()
    if name not in ("x", "h")
}


def _torch_cell(x: Tensor, h: Tensor, **weights: Tensor) -> Tensor:
    return torch.rnn_tanh_cell(x, h, **weights)


rnn_cell = Plan(
    stubs.rnn_cell,
    cell(
        {
            "only the biases": (lambda first: only(first, "b_ih", "b_hh"), 0.1),
            "only x and its weights": (lambda first: only(first, "x", "w_ih"), 0.15),
            "only h and its weights": (lambda first: only(first, "h", "w_hh"), 0.15),
        },
        batched="xh",
    ),
    oracle=_torch_cell,
    forbidden_calls=RNN,
)

# ------------------------------------------------------------------ rnn_layer


def _probe_cell(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> Tensor:
    """No recurrent network's cell: a function of every number in its arguments, which a correct
    loop has to carry. As in torch's cell, the biases count by their sum."""
    return torch.sin(x @ w_ih.T - h @ w_hh.T / 2 + b_ih + b_hh) + h / 3


def _torch_layer(x: Tensor, h0: Tensor, **weights: Tensor) -> object:
    packed = list(weights.values())
    output, h_n = torch.rnn_tanh(x, h0[None], packed, True, 1, 0.0, False, False, False)
    return output, h_n[0]


rnn_layer = Plan(
    stubs.rnn_layer,
    layer("h0"),
    probes={"rnn_cell": _probe_cell},
    oracle=_torch_layer,
    forbidden_calls=RNN,
)

# ------------------------------------------------------------------ stacked_rnn

_WIDTHS = ("H_1", "H_2", "H_top")
_LETTERS = ("T", "N", "I", *_WIDTHS)
_ONE_LAYER, _TWO_LAYERS = "one layer", "two layers"


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


_STATES = tuple(_of_layer("h0", number) for number in range(1, len(_WIDTHS) + 1))


def _stack(depth: int) -> Driver:
    """Calls `stacked_rnn` with so many layers."""
    numbers = range(1, depth + 1)

    def call(function: Function, arguments: dict[str, Any]) -> object:
        h0 = [arguments[_of_layer("h0", k)] for k in numbers]
        layers = [tuple(arguments[_of_layer(name, k)] for name in _WEIGHTS) for k in numbers]
        return function(x=arguments["x"], h0=h0, layers=layers)

    finals = tuple(_of_layer("h_n", k) for k in numbers)
    return Driver(("output", finals), call=call)


def _stack_inputs(depth: int) -> dict[str, Axes]:
    """The inputs of a stack of so many layers, flat."""
    inputs: dict[str, Axes] = {"x": ("T", "N", "I")}
    below = "I"
    for number, width in enumerate(_WIDTHS[:depth], start=1):
        named = {"I": below, "H": width}
        inputs[_of_layer("h0", number)] = ("N", width)
        for name, axes in _WEIGHTS.items():
            inputs[_of_layer(name, number)] = tuple(named[axis] for axis in axes)
        below = width
    return inputs


def _lowest(depth: int, fixture: Fixture) -> Arrays:
    """The inputs of so many layers, from the lowest up."""
    return {name: fixture[name] for name in _stack_inputs(depth)}


def _stacked_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values, inputs = "three layers", first.inputs
    one = inputs | {"x": inputs["x"][:, :1]} | {name: inputs[name][:1] for name in _STATES}
    lowest, two = (("one layer", _lowest(1, first)), ("two layers", _lowest(2, first)))
    return [
        shapes(first, second),
        stage("one layer", lowest, driver=_ONE_LAYER, weight=0.15),
        stage("two layers", two, driver=_TWO_LAYERS, weight=0.15),
        stage(values, *whole(first, second), weight=0.25),
        gradients(first, second, values, weight=0.2),
        stage("a batch of one", ("a batch of one", one), after=values, weight=0.05),
        *endings(fixtures, values),
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


stacked_rnn = Plan(
    stubs.stacked_rnn,
    _stacked_stages,
    inputs=_stack_inputs(len(_WIDTHS)),
    only_inputs=True,
    outputs={
        "output": ("T", "N", "H_top"),
        **{_of_layer("h_n", k): ("N", width) for k, width in enumerate(_WIDTHS, start=1)},
    },
    driver=_stack(3),
    drivers={_ONE_LAYER: _stack(1), _TWO_LAYERS: _stack(2)},
    probes={"rnn_cell": _fading_cell, "rnn_layer": _fading_layer},
    sizes=_STACKS,
    drawn=_drawn_stacks,
    forbidden_calls=RNN,
)
