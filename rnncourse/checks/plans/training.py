"""How the exercises of `rnncourse.training` are tried."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from ..drivers import Driver, Function
from ..plan import RECURRENT, Case, Plan, Sizes, Stage, in_float64, only, random_sizes
from ..ready_made import RNN
from ..results import Arrays, a_number, whole_numbers
from ..stages import WITHIN_TANH, cell, endings, fixture_calls, odd_sizes, shapes, stage, unchanged

INPUTS, TARGETS = "batches of inputs", "batches of targets"
WEIGHT, BIAS = "weight after the steps", "bias after the steps"
ORDER = "order of 1 forward, 2 backward, 3 step"
WITH_ADAM, WITH_A_TUPLE = " with Adam", " with a tuple"
"""Ends of names of drivers."""

_LEARNING_RATE = 0.5
_LOGGED = 9
"""Events of one step that are kept: three are right."""


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
    model.weight.grad = arguments["old gradient of weight"].clone()
    model.bias.grad = arguments["old gradient of bias"].clone()
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


def _training_step(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "training_step", "several steps"
    with_old = first | {k: first[k][:1] for k in (INPUTS, TARGETS)}
    old = {k: torch.zeros_like(v) for k, v in first.items() if k.startswith("old")}
    batch_of_one = first | {k: first[k][:, :1] for k in (INPUTS, TARGETS)}
    double = in_float64(first, WITHIN_TANH)
    return [
        shapes(name, first, second),
        stage("one step", name, ("one step", with_old | old)),
        stage("old gradients do not count", name, ("old gradients", with_old)),
        stage(values, name, *fixture_calls(first, second)),
        Stage(
            "another optimizer", "values", (Case("Adam", name + WITH_ADAM, first),), after=values
        ),
        stage("a batch of one", name, ("a batch of one", batch_of_one), after=values),
        odd_sizes(name, fixtures, values),
        stage("float64 in, float64 out", name, ("float64", double), after=values),
        unchanged(name, first, second),
    ]


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


def _free_run(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "free_run", "whole runs"
    one_step = first | {"length": torch.tensor(1)}
    batch_of_one = first | {k: first[k][:1] for k in ("x", "state")}
    return [
        shapes(name, first, second),
        stage("one prediction", name, ("one prediction", one_step)),
        stage(values, name, *fixture_calls(first, second)),
        Stage(
            "a state that is a tuple",
            "values",
            (Case("a tuple", name + WITH_A_TUPLE, first),),
            after=values,
        ),
        stage("a batch of one", name, ("a batch of one", batch_of_one), after=values),
        *endings(name, fixtures, values),
    ]


# ------------------------------------------------------------------ all three


def _torch_rnn_cell(x: Tensor, h: Tensor, **weights: Tensor) -> Tensor:
    w, b = weights.values()
    w_hh, w_ih = w.tensor_split([len(b)], dim=1)
    return torch.rnn_tanh_cell(x, h, w_ih, w_hh, b, torch.zeros_like(b))


def _calling_d(letter: str, sizes: Sizes) -> Sizes:
    """The sizes with D, of predictions, in the place of another letter."""
    return {"D" if k == letter else k: v for k, v in sizes.items()}


DRIVERS = {
    "joined_rnn_cell": Driver("h'"),
    "training_step": _training_driver(adam=False),
    "training_step" + WITH_ADAM: _training_driver(adam=True),
    "free_run": Driver("predictions", inputs={"length": int}, call=_run_alone),
    "free_run" + WITH_A_TUPLE: Driver(
        "predictions", inputs={"length": int}, call=_run_alone_with_a_tuple
    ),
}

_TERMS = {
    "only the bias": lambda arrays: only(arrays, "b"),
    "only x and its columns": lambda arrays: only(arrays, "x", "w"),
    "only h and its columns": lambda arrays: only(arrays, "h", "w"),
}

PLANS = {
    plan.exercise: plan
    for plan in (
        Plan(
            "joined_rnn_cell",
            {"x": ("N", "I"), "h": ("N", "H"), "w": ("H", "H+I"), "b": ("H",)},
            {"h'": ("N", "H")},
            cell("joined_rnn_cell", _TERMS, batched="xh"),
            oracle=_torch_rnn_cell,
            ready_made=RNN,
        ),
        Plan(
            "training_step",
            {
                INPUTS: ("T", "N", "I"),
                TARGETS: ("T", "N", "D"),
                "weight": ("D", "I"),
                "bias": ("D",),
                "old gradient of weight": ("D", "I"),
                "old gradient of bias": ("D",),
                "momentum": _momentum,
            },
            {"losses": ("T",), WEIGHT: ("D", "I"), BIAS: ("D",), ORDER: ("T",)},
            _training_step,
            gradients=False,
            sizes=[_calling_d("H", sizes) for sizes in RECURRENT],
            drawn=lambda generator: [_calling_d("H", s) for s in random_sizes(generator)],
        ),
        Plan(
            "free_run",
            {
                "x": ("N", "D"),
                "state": ("N", "H"),
                "length": _length,
                "w_x": ("H", "D"),
                "w_h": ("H", "H"),
                "w_y": ("D", "H"),
            },
            {"predictions": ("T", "N", "D")},
            _free_run,
            gradients=False,
            sizes=[_calling_d("I", sizes) for sizes in RECURRENT],
            drawn=lambda generator: [_calling_d("I", s) for s in random_sizes(generator)],
        ),
    )
}
