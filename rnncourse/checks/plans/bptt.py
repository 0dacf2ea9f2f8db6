"""How the exercises of `rnncourse.bptt` are tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Generator, Tensor

from ... import bptt as stubs
from ..._axes import Structure, declaration
from ..._exercise import Function
from ..drivers import Driver
from ..forbidden_calls import GRADIENTS
from ..plan import Fixture, Plan, Stage, in_float64, only
from ..results import Arrays, named, some_numbers
from ..sizes import RECURRENT, Sizes, random_sizes
from ..stages import (
    SHAPES,
    WITHIN_TANH,
    each_alone,
    endings,
    float64,
    odd_sizes,
    shapes,
    stage,
    whole,
)

_WEIGHTS = {"w_ih": ("H", "I"), "w_hh": ("H", "H"), "b_ih": ("H",), "b_hh": ("H",)}
"""The biases have a part in the step, but not in the way back."""


def _with_h(arrays: Arrays) -> Arrays:
    """The state after the step, computed by torch, instead of the biases: only a state that belongs
    to the other inputs has the gradients that are asked for."""
    weights = [arrays[name] for name in _WEIGHTS]
    return _without_biases(arrays) | {
        "h": torch.rnn_tanh_cell(arrays["x"], arrays["h_prev"], *weights)
    }


def _with_output(arrays: Arrays) -> Arrays:
    """The same for a whole sequence: the state after every step."""
    weights = [arrays[name] for name in _WEIGHTS]
    states = [arrays["h0"]]
    for x in arrays["x"]:
        states.append(torch.rnn_tanh_cell(x, states[-1], *weights))
    return _without_biases(arrays) | {"output": torch.stack(states[1:])}


def _without_biases(arrays: Arrays) -> Arrays:
    return {k: v for k, v in arrays.items() if k not in ("b_ih", "b_hh")}


def _probe_cell(
    grad_h: Tensor, x: Tensor, h_prev: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor
) -> tuple[Tensor, ...]:
    """Not the way back through any step: a function of every number in its arguments, which a
    correct loop has to carry. As in a right cell, both biases have the same gradient."""
    mixed = torch.sin(grad_h + h / 2) + torch.cos(h_prev + w_hh.mean(0))
    to_x = torch.cos(x + w_ih.mean(0)) - mixed.mean(1, keepdim=True)
    to_h_prev = torch.sin(mixed - h_prev / 3) / 2
    to_w_ih = w_ih / 4 + x.mean(0) - mixed.mean(0)[:, None]
    to_w_hh = w_hh / 4 + h_prev.mean(0) + mixed.mean(0)[:, None]
    return to_x, to_h_prev, to_w_ih, to_w_hh, mixed.mean(0), mixed.mean(0)


class _Network:
    """A network of sums, with a state s that each input turns into x + weight - s, its units moved
    on by one; it predicts s + bias.

    Torch keeps nothing of sums for the way back. So it does not refuse a second way back through an
    earlier chunk, nor one after the weight has changed, and who forgets to detach is told so by
    numbers. The pair of states is there for networks such as an LSTM.
    """

    def __init__(self, arguments: dict[str, Any], gradient: Tensor | None = None) -> None:
        self.weight = arguments["weight"].clone().requires_grad_()
        self.bias = arguments["bias"].clone().requires_grad_()
        if gradient is not None:
            self.weight.grad, self.bias.grad = gradient.clone(), gradient.clone()

    def step(self, chunk: tuple[Tensor, Tensor], state: Tensor) -> tuple[Tensor, Tensor]:
        errors = []
        for x, target in zip(*chunk, strict=True):
            state = x + self.weight - state.roll(1, dims=1)
            errors.append(state + self.bias - target)
        return torch.stack(errors).square().mean(), state

    def step_of_pair(
        self, chunk: tuple[Tensor, Tensor], states: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        (h, c), errors = states, []
        for x, target in zip(*chunk, strict=True):
            c = x + self.weight - c.roll(1, dims=1)
            h = c - h.roll(1, dims=1)
            errors.append(h + self.bias - target)
        return torch.stack(errors).square().mean(), (h, c)


def _chunks(arguments: dict[str, Any]) -> list[tuple[Tensor, Tensor]]:
    length = arguments["length"]
    parts = zip(arguments["x"].split(length), arguments["target"].split(length), strict=True)
    return list(parts)


def _returned(result: object, state: Structure = "state") -> Arrays:
    return named(result, ("losses", state), {"losses": some_numbers})


def _gradient(leaf: Tensor) -> Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad


def _requires_grad(state: Tensor) -> Tensor:
    return torch.tensor(int(state.requires_grad))


def _run_plain(function: Function, arguments: dict[str, Any]) -> Arrays:
    return _without_optimizer(function, arguments, _chunks(arguments))


def _run_on_a_generator(function: Function, arguments: dict[str, Any]) -> Arrays:
    return _without_optimizer(function, arguments, (c for c in _chunks(arguments)))


def _without_optimizer(
    function: Function, arguments: dict[str, Any], chunks: Iterable[object]
) -> Arrays:
    network, first = _Network(arguments), arguments["state"].clone().requires_grad_()
    found = _returned(function(network.step, chunks, first))
    return found | {
        "state.requires_grad": _requires_grad(found["state"]),
        "grad of weight": _gradient(network.weight),
        "grad of bias": _gradient(network.bias),
        "grad of first state": _gradient(first),
    }


def _run_with_optimizer(function: Function, arguments: dict[str, Any]) -> Arrays:
    """With gradients that are left from an earlier step."""
    network = _Network(arguments, gradient=arguments["old_gradient"])
    optimizer = torch.optim.SGD([network.weight, network.bias], lr=0.25)
    result = function(network.step, _chunks(arguments), arguments["state"], optimizer)
    found = _returned(result)
    return {
        "losses with an optimizer": found["losses"],
        "state with an optimizer": found["state"],
        "trained weight": network.weight,
        "trained bias": network.bias,
    }


def _run_with_pair(function: Function, arguments: dict[str, Any]) -> Arrays:
    network, first = _Network(arguments), (arguments["state"], arguments["second_state"])
    found = _returned(function(network.step_of_pair, _chunks(arguments), first), ("h", "c"))
    return {
        "losses with a pair": found["losses"],
        "h": found["h"],
        "c": found["c"],
        "h.requires_grad": _requires_grad(found["h"]),
        "c.requires_grad": _requires_grad(found["c"]),
        "grad of weight with a pair": _gradient(network.weight),
    }


_LOSSES_AND_STATE = ("losses", "state")
_PLAIN = (
    *_LOSSES_AND_STATE,
    "state.requires_grad",
    "grad of weight",
    "grad of bias",
    "grad of first state",
)
_OPTIMIZED = (
    "losses with an optimizer",
    "state with an optimizer",
    "trained weight",
    "trained bias",
)
_PAIR = (
    "losses with a pair",
    "h",
    "c",
    "h.requires_grad",
    "c.requires_grad",
    "grad of weight with a pair",
)


_LOSSES = ("losses", "losses with an optimizer", "losses with a pair")
_STATES = ("state", "state with an optimizer", "h", "c", "grad of first state")
_PARAMETERS = (
    "grad of weight",
    "grad of bias",
    "grad of weight with a pair",
    "trained weight",
    "trained bias",
)


def _running(names: tuple[str, ...], *runs: Callable[[Function, dict[str, Any]], Arrays]) -> Driver:
    """A driver that runs the function in these ways, one after the other, and gives the results of
    these names."""

    def call(function: Function, arguments: dict[str, Any]) -> tuple[Tensor, ...]:
        found: Arrays = {}
        for run in runs:
            found |= run(function, arguments)
        return tuple(found[name] for name in names)

    return Driver(names, inputs={"length": int}, call=call, records=True)


_SIZES: tuple[Sizes, ...] = ({"T": 5, "N": 3, "I": 2, "H": 4}, *RECURRENT[1:])
"""Not two sequences, where the mean over the batch is the half: mistakes of two names."""


def _drawn(generator: Generator) -> list[Sizes]:
    """Sizes like `_SIZES`, drawn anew."""
    drawn = random_sizes(generator)
    return [s | {"N": s["I"], "I": s["N"]} if s["N"] == 2 else s for s in drawn]


def _cell_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values, batched = "all terms together", ("grad_h", "x", "h_prev")
    terms = {
        "a slope of one: only grad_h, x and h_prev": (only(first, "grad_h", "x", "h_prev"), 0.1),
        "the slope of tanh: only grad_h and the biases": (
            only(first, "grad_h", "b_ih", "b_hh"),
            0.1,
        ),
        "only grad_h, x and its weights": (only(first, "grad_h", "x", "w_ih"), 0.15),
        "only grad_h, h_prev and its weights": (only(first, "grad_h", "h_prev", "w_hh"), 0.15),
    }
    one = {k: v[:1] if k in batched else v for k, v in first.inputs.items()}
    return [
        shapes(first, second),
        *each_alone(terms),
        stage(values, *whole(first, second), weight=0.25),
        stage("a batch of one", ("a batch of one", one), after=values, weight=0.05),
        *endings(fixtures, values),
    ]


rnn_cell_backward = Plan(
    stubs.rnn_cell_backward,
    _cell_stages,
    inputs={"grad_h": ("N", "H"), "x": ("N", "I"), "h_prev": ("N", "H"), **_WEIGHTS},
    only_inputs=True,
    driver=Driver(declaration(stubs.rnn_cell_backward).structure, prepare=_with_h),
    gradients=False,
    sizes=_SIZES,
    drawn=_drawn,
    forbidden_calls=GRADIENTS,
)


def _layer_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values, inputs, sequences = "whole sequences", first.inputs, ("grad_output", "x")
    one_step = {k: v[:1] if k in sequences else v for k, v in inputs.items()}
    one = {k: v[:, :1] if k in sequences else v for k, v in inputs.items()}
    one["h0"] = inputs["h0"][:1]
    arrives = {
        "a gradient that arrives at the last step alone": (_arriving_at(-1, inputs), 0.15),
        "a gradient that arrives at the first step alone": (_arriving_at(0, inputs), 0.1),
    }
    return [
        shapes(first, second),
        stage("a sequence of one step", ("one step", one_step), weight=0.15),
        *each_alone(arrives),
        stage(values, *whole(first, second), weight=0.35),
        stage("a batch of one", ("a batch of one", one), after=values, weight=0.05),
        *endings(fixtures, values),
    ]


def _arriving_at(step: int, inputs: Arrays) -> Arrays:
    grad_output = torch.zeros_like(inputs["grad_output"])
    grad_output[step] = inputs["grad_output"][step]
    return inputs | {"grad_output": grad_output}


rnn_layer_backward = Plan(
    stubs.rnn_layer_backward,
    _layer_stages,
    inputs={"grad_output": ("T", "N", "H"), "x": ("T", "N", "I"), "h0": ("N", "H"), **_WEIGHTS},
    only_inputs=True,
    driver=Driver(declaration(stubs.rnn_layer_backward).structure, prepare=_with_output),
    probes={"rnn_cell_backward": _probe_cell},
    gradients=False,
    sizes=_SIZES,
    drawn=_drawn,
    forbidden_calls=GRADIENTS,
)

# ------------------------------------------------------------------ truncated_bptt: stages


def _truncated_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values, inputs = "all of it together", first.inputs
    both = ("sequence 1", inputs), ("sequence 2", second.inputs)
    length = int(first["length"])
    one = inputs | {k: inputs[k][:length] for k in ("x", "target")}
    return [
        stage(SHAPES, *both, driver="plain", aspect="shapes", after="", weight=0.05),
        stage("the losses, and a state that goes on", *both, driver="losses", weight=0.15),
        stage("the gradient stops between chunks", *both, driver="plain", weight=0.2),
        stage("an optimizer steps after each chunk", *both, driver="optimizer", weight=0.2),
        stage("a pair of states", *both, driver="pair", weight=0.1),
        stage(values, *whole(first, second), weight=0.1),
        stage("one chunk", ("one chunk", one), after=values, weight=0.05),
        stage("chunks from a generator", *both, driver="generator", after=values, weight=0.05),
        odd_sizes(fixtures, values),
        float64(in_float64(first, WITHIN_TANH), values),
        stage("leaves its inputs unchanged", *both, driver="optimizer", aspect="unchanged"),
    ]


def _chunk_length(sizes: Sizes, generator: Generator) -> Tensor:
    return torch.tensor(sizes["K"])


_CHUNKED: tuple[Sizes, ...] = (
    {"T": 8, "N": 2, "H": 4, "K": 3},
    {"T": 7, "N": 5, "H": 3, "K": 2},
    {"T": 9, "N": 1, "H": 1, "K": 4},
    {"T": 4, "N": 3, "H": 2, "K": 1},
)
"""K is the length of a chunk. The last chunk is shorter where K does not divide T."""


def _drawn_chunked(generator: Generator) -> list[Sizes]:
    """Sizes like `_CHUNKED`, drawn anew: at least three chunks in the first two, so that a mistake
    has time to show."""

    def drawn(low: int, high: int) -> list[int]:
        return (torch.randperm(high - low, generator=generator) + low).tolist()

    found = []
    for _ in range(2):
        chunk, batch, width = drawn(2, 6)[:3]
        found.append({"T": 3 * chunk + drawn(0, 2)[0], "N": batch, "H": width, "K": chunk})
    length, single = drawn(6, 10)[0], drawn(4, 8)[0]
    return [*found, {"T": length, "N": 1, "H": 1, "K": 4}, {"T": single, "N": 3, "H": 2, "K": 1}]


truncated_bptt = Plan(
    stubs.truncated_bptt,
    _truncated_stages,
    inputs={
        "x": ("T", "N", "H"),
        "target": ("T", "N", "H"),
        "state": ("N", "H"),
        "second_state": ("N", "H"),
        "weight": ("H",),
        "bias": ("H",),
        "old_gradient": ("H",),
        "length": _chunk_length,
    },
    only_inputs=True,
    outputs={
        **dict.fromkeys(_LOSSES, ("C",)),
        **dict.fromkeys(_STATES, ("N", "H")),
        **dict.fromkeys(_PARAMETERS, ("H",)),
    },
    driver=_running(
        (*_PLAIN, *_OPTIMIZED, *_PAIR), _run_plain, _run_with_pair, _run_with_optimizer
    ),
    drivers={
        "losses": _running(_LOSSES_AND_STATE, _run_plain),
        "plain": _running(_PLAIN, _run_plain),
        "generator": _running(_PLAIN, _run_on_a_generator),
        "optimizer": _running(_OPTIMIZED, _run_with_optimizer),
        "pair": _running(_PAIR, _run_with_pair),
    },
    gradients=False,
    sizes=_CHUNKED,
    drawn=_drawn_chunked,
)
