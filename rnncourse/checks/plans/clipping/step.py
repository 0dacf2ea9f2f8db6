"""How `clipped_training_step` is tried: several steps on one model."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from .... import clipping as stubs
from ...._exercise import Function
from ...drivers import Driver
from ...plan import Fixture, Plan, Stage, in_float64
from ...relations import Relation
from ...results import a_number, named
from ...sizes import Sizes
from ...stages import (
    WITHIN_TANH,
    float64,
    odd_sizes,
    stage,
    unchanged,
    whole,
)
from .common import Arguments
from .gradients import probe_norm

_RATE = 1 / 32
_ROOM = 100.0
"""Added to max_norm at every second step: more than any norm there."""

_MODEL = {"weight": ("H", "I"), "bias": ("H",), "unused": ("I",)}
_OLD = {name: f"old gradient of {name}" for name in ("weight", "bias")}

ABOUT = Relation(lambda arrays: arrays, atol=1e-5)
"""In float64, too: torch divides by norm + 1e-6, and that is right here."""


class _Linear(nn.Module):
    """A linear model with one parameter more than it needs, which never has a gradient."""

    def __init__(self, arguments: Arguments) -> None:
        super().__init__()
        self.weight, self.bias, self.unused = (
            nn.Parameter(arguments[name].clone()) for name in _MODEL
        )

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.T + self.bias


def _loss(predictions: Tensor, targets: Tensor) -> Tensor:
    """Targets are no predictions here: the two cannot change places unnoticed."""
    return ((predictions - targets) ** 2 * (2 + targets)).sum()


def _trained(function: Function, arguments: Arguments) -> object:
    """Several steps of plain gradient descent, one for each max_norm."""
    model = _Linear(arguments)
    optimizer = torch.optim.SGD(model.parameters(), lr=_RATE)
    for name, old in _OLD.items():
        if old in arguments:
            model.get_parameter(name).grad = arguments[old].clone()
    steps = []
    for t, max_norm in enumerate(arguments["max_norm"]):
        result = function(
            model=model,
            optimizer=optimizer,
            loss_fn=_loss,
            inputs=arguments["inputs"],
            targets=arguments["targets"],
            max_norm=max_norm + _ROOM * (t % 2),
        )
        steps.append(named(result, ("loss", "norm"), {"loss": a_number, "norm": a_number}))
    losses, norms = (torch.stack([step[name] for step in steps]) for name in ("loss", "norm"))
    return losses, norms, model.weight, model.bias, model.unused


def _probe_clip(grads: list[Tensor], max_norm: float) -> tuple[list[Tensor], Tensor]:
    """No clipping at all: other gradients, and another number, which a training step has to use.

    Bounded, however large max_norm is: long steps would make the last digit of a gradient, which
    differs between processors, grow into the digits that are compared.
    """
    share = max_norm / (1 + max_norm)
    return [torch.sin(grad) * share for grad in grads], probe_norm(grads)


def _several_limits(sizes: Sizes, generator: Generator) -> Tensor:
    return torch.randint(20, 58, (sizes["T"],), generator=generator).float() / 64


def _step_stages(*fixtures: Fixture) -> list[Stage]:
    returns, values = "returns two Python floats", "several steps"
    first, second, *_ = fixtures
    calls = whole(first, second)
    one_step = first.inputs | {"max_norm": first["max_norm"][:1]}
    above = {k: v for k, v in one_step.items() if k not in _OLD.values()}
    below = above | {"max_norm": torch.tensor([_ROOM])}
    old = ("old gradients", one_step)
    return [
        stage(returns, *calls, aspect="shapes", after="", weight=0.1),
        stage("one step, norm above max_norm", ("above", above), after=returns, weight=0.2),
        stage("one step, norm below max_norm", ("below", below), after=returns, weight=0.15),
        stage("old gradients are cleared", old, after=returns, weight=0.15),
        stage(values, *calls, after=returns, weight=0.3),
        odd_sizes(fixtures, values),
        float64(in_float64(first, WITHIN_TANH), values),
        unchanged(first, second, after=returns),
    ]


clipped_training_step = Plan(
    stubs.clipped_training_step,
    _step_stages,
    inputs={
        "inputs": ("N", "I"),
        "targets": ("N", "H"),
        **_MODEL,
        **{old: _MODEL[name] for name, old in _OLD.items()},
        "max_norm": _several_limits,
    },
    only_inputs=True,
    outputs={"loss": ("T",), "norm": ("T",), **_MODEL},
    driver=Driver(
        ("loss", "norm", *_MODEL), inputs={"max_norm": Tensor.tolist}, call=_trained, records=True
    ),
    probes={"clip_by_global_norm": _probe_clip},
    relation=ABOUT,
    gradients=False,
)
