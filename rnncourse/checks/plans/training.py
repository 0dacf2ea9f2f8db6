"""How the exercises of `rnncourse.training` are tried."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from ... import training as stubs
from ..._exercise import Function
from ..drivers import Driver
from ..forbidden_calls import RNN
from ..plan import Fixture, Plan, Stage, in_float64, only
from ..results import a_number, whole_numbers
from ..sizes import RECURRENT, Sizes, random_sizes
from ..stages import (
    WITHIN_TANH,
    cell,
    endings,
    float64,
    odd_sizes,
    shapes,
    stage,
    unchanged,
    whole,
)

INPUTS, TARGETS = "batches of inputs", "batches of targets"
WEIGHT, BIAS = "weight after the steps", "bias after the steps"
ORDER = "order of 1 forward, 2 backward, 3 step"
WITH_ADAM, WITH_A_TUPLE = "with Adam", "with a tuple"
"""Names of drivers."""

_OLD = ("old gradient of weight", "old gradient of bias")

_LEARNING_RATE = 0.5
_LOGGED = 9
"""Events of one step that are kept: three are right."""


# ------------------------------------------------------------------ joined_rnn_cell


def _torch_cell(x: Tensor, h: Tensor, w: Tensor, b: Tensor) -> Tensor:
    w_hh, w_ih = w.tensor_split([len(b)], dim=1)
    return torch.rnn_tanh_cell(x, h, w_ih, w_hh, b, torch.zeros_like(b))


joined_rnn_cell = Plan(
    stubs.joined_rnn_cell,
    cell(
        {
            "only the bias": (lambda first: only(first, "b"), 0.1),
            "only x and its columns": (lambda first: only(first, "x", "w"), 0.15),
            "only h and its columns": (lambda first: only(first, "h", "w"), 0.15),
        },
        batched="xh",
    ),
    oracle=_torch_cell,
    forbidden_calls=RNN,
)

# ------------------------------------------------------------------ training_step


class _Model(nn.Module):
    """One layer, which notes when it is called. Like a model with dropout it gives other numbers
    while it is in evaluation mode."""

    def __init__(self, weight: Tensor, bias: Tensor, log: list[int]) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
        self.log = log

    def forward(self, inputs: Tensor) -> Tensor:
        self.log.append(1)
        predictions = torch.tanh(inputs @ self.weight.T + self.bias)
        return predictions if self.training else predictions / 2


class _Loss:
    """A loss to which too much is worse than too little, so that its arguments have an order. It
    notes when a gradient comes back to it."""

    def __init__(self, log: list[int]) -> None:
        self.log = log

    def __call__(self, predictions: Tensor, targets: Tensor) -> Tensor:
        excess = predictions - targets
        loss = (excess.exp() - excess - 1).mean()
        if loss.requires_grad:
            loss.register_hook(self._note)
        return loss

    def _note(self, gradient: Tensor) -> None:
        self.log.append(2)


def _optimizer(model: nn.Module, arguments: dict[str, Any], adam: bool) -> Optimizer:
    if adam:
        return Adam(model.parameters(), lr=_LEARNING_RATE)
    return SGD(model.parameters(), lr=_LEARNING_RATE, momentum=arguments["momentum"])


def _train(function: Function, arguments: dict[str, Any], adam: bool = False) -> object:
    """Several calls on one model, which has gradients of earlier days.

    What comes of it: the losses, the parameters afterwards, and for each call what happened in
    which order, as the digits of a number.
    """
    log: list[int] = []
    model = _Model(arguments["weight"], arguments["bias"], log)
    for parameter, name in zip((model.weight, model.bias), _OLD, strict=True):
        parameter.grad = arguments[name].clone()
    optimizer = _optimizer(model, arguments, adam)
    optimizer.register_step_post_hook(lambda *_: log.append(3))
    losses, orders = [], []
    for inputs, targets in zip(arguments[INPUTS], arguments[TARGETS], strict=True):
        log.clear()
        loss = function(
            model=model, optimizer=optimizer, loss_fn=_Loss(log), inputs=inputs, targets=targets
        )
        losses.append(loss)
        orders.append(int("".join(map(str, log[:_LOGGED])) or 0))
    return losses, model.weight, model.bias, orders


def _losses(name: str, value: Any) -> Tensor:
    return torch.stack([a_number("the loss that it returns", loss) for loss in value])


def _training_driver(adam: bool) -> Driver:
    return Driver(
        ("losses", WEIGHT, BIAS, ORDER),
        inputs={"momentum": float},
        results={"losses": _losses, ORDER: whole_numbers},
        call=lambda function, arguments: _train(function, arguments, adam),
        records=True,
    )


def _momentum(sizes: Sizes, generator: Generator) -> Tensor:
    return torch.randint(20, 52, (), generator=generator) / 64


def _step_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values, inputs = "several steps", first.inputs
    with_old = inputs | {k: inputs[k][:1] for k in (INPUTS, TARGETS)}
    without_old = with_old | {k: torch.zeros_like(inputs[k]) for k in _OLD}
    one = inputs | {k: inputs[k][:, :1] for k in (INPUTS, TARGETS)}
    return [
        shapes(first, second),
        stage("one step", ("one step", without_old), weight=0.2),
        stage("old gradients do not count", ("old gradients", with_old), weight=0.2),
        stage(values, *whole(first, second), weight=0.25),
        stage("another optimizer", ("Adam", inputs), driver=WITH_ADAM, after=values, weight=0.1),
        stage("a batch of one", ("a batch of one", one), after=values, weight=0.05),
        odd_sizes(fixtures, values),
        float64(in_float64(first, WITHIN_TANH), values),
        unchanged(first, second),
    ]


def _calling_d(letter: str, sizes: Sizes) -> Sizes:
    """The sizes with D, of predictions, in the place of another letter."""
    return {"D" if k == letter else k: v for k, v in sizes.items()}


training_step = Plan(
    stubs.training_step,
    _step_stages,
    inputs={
        INPUTS: ("T", "N", "I"),
        TARGETS: ("T", "N", "D"),
        "weight": ("D", "I"),
        "bias": ("D",),
        "old gradient of weight": ("D", "I"),
        "old gradient of bias": ("D",),
        "momentum": _momentum,
    },
    only_inputs=True,
    outputs={"losses": ("T",), WEIGHT: ("D", "I"), BIAS: ("D",), ORDER: ("T",)},
    driver=_training_driver(adam=False),
    drivers={WITH_ADAM: _training_driver(adam=True)},
    gradients=False,
    sizes=[_calling_d("H", sizes) for sizes in RECURRENT],
    drawn=lambda generator: [_calling_d("H", s) for s in random_sizes(generator)],
)

# ------------------------------------------------------------------ free_run


def _run_alone(function: Function, arguments: dict[str, Any]) -> object:
    w_x, w_h, w_y = (arguments[name] for name in ("w_x", "w_h", "w_y"))

    def step(x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        state = torch.tanh((x @ w_x.T + state @ w_h.T) / 2)
        return torch.sin(1 + state @ w_y.T), state

    return function(
        step=step, x=arguments["x"], state=arguments["state"], length=arguments["length"]
    )


def _run_alone_with_a_tuple(function: Function, arguments: dict[str, Any]) -> object:
    w_x, w_h, w_y = (arguments[name] for name in ("w_x", "w_h", "w_y"))

    def step(x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h, c = state
        c = torch.tanh(h - c / 2 + x @ w_x.T / 3)
        h = torch.tanh((c @ w_h.T - h) / 2)
        return torch.sin(1 + h @ w_y.T), (h, c)

    state = (arguments["state"], -arguments["state"] / 2)
    return function(step=step, x=arguments["x"], state=state, length=arguments["length"])


def _length(sizes: Sizes, generator: Generator) -> Tensor:
    return torch.tensor(sizes["T"])


def _run_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values, inputs = "whole runs", first.inputs
    one_step = inputs | {"length": torch.tensor(1)}
    one = inputs | {k: inputs[k][:1] for k in ("x", "state")}
    tuple_ = ("a tuple", inputs)
    return [
        shapes(first, second, weight=0.15),
        stage("one prediction", ("one prediction", one_step), weight=0.15),
        stage(values, *whole(first, second), weight=0.4),
        stage("a state that is a tuple", tuple_, driver=WITH_A_TUPLE, after=values, weight=0.15),
        stage("a batch of one", ("a batch of one", one), after=values, weight=0.05),
        *endings(fixtures, values),
    ]


free_run = Plan(
    stubs.free_run,
    _run_stages,
    inputs={
        "x": ("N", "D"),
        "state": ("N", "H"),
        "length": _length,
        "w_x": ("H", "D"),
        "w_h": ("H", "H"),
        "w_y": ("D", "H"),
    },
    only_inputs=True,
    driver=Driver("predictions", inputs={"length": int}, call=_run_alone),
    drivers={
        WITH_A_TUPLE: Driver("predictions", inputs={"length": int}, call=_run_alone_with_a_tuple)
    },
    gradients=False,
    sizes=[_calling_d("I", sizes) for sizes in RECURRENT],
    drawn=lambda generator: [_calling_d("I", s) for s in random_sizes(generator)],
)
