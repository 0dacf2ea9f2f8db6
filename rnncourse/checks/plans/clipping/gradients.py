"""How functions of lists of gradients are tried: their norm, and two ways to clip."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor, nn

from .... import clipping as stubs
from ...._exercise import Function, describe
from ...drivers import Driver
from ...forbidden_calls import CLIPPING
from ...plan import Fixture, Plan, Stage, in_float64
from ...results import Arrays, Convert, WrongResultError, named
from ...sizes import Draw, Sizes, shape_of, uniform
from ...stages import (
    BEYOND_ONE,
    endings,
    float64,
    odd_sizes,
    on_the_device,
    shapes,
    stage,
    unchanged,
    whole,
)
from .common import ONCE, Arguments

_GRADIENTS = {"grads[0]": ("H", "I"), "grads[1]": ("4", "I", "H"), "grads[2]": ("H",)}
_CLIPPED = tuple(f"clipped[{k}]" for k in range(len(_GRADIENTS)))
_KEPT = tuple(f"{name} when the norm is below max_norm" for name in _CLIPPED)
_CLIPPED_AXES = dict(zip(_CLIPPED, _GRADIENTS.values(), strict=True))
_KEPT_AXES = dict(zip(_KEPT, _GRADIENTS.values(), strict=True))


def _grads(arguments: Arguments) -> list[Tensor]:
    """The list of gradients; a case may leave some of them out."""
    return [arguments[name] for name in _GRADIENTS if name in arguments]


def _one_for_each(grads: list[Tensor]) -> Convert:
    """Makes sure of a list of as many tensors as there are gradients."""

    def convert(name: str, value: Any) -> Tensor:
        if not isinstance(value, tuple | list):
            missing = ": is the return missing?" if value is None else "."
            raise WrongResultError(f"{name} must be a list; yours is {describe(value)}{missing}")
        if len(value) != len(grads):
            raise WrongResultError(
                f"{name} must hold one tensor for each gradient, {len(grads)} here; "
                f"yours holds {len(value)}."
            )
        return torch.tensor(len(value))

    return convert


def _padded(clipped: Any) -> tuple[Any, ...]:
    """As many results as a driver has names for: zeros for gradients that a case leaves out."""
    return (*clipped, *(clipped[0].new_zeros(()) for _ in _CLIPPED[len(clipped) :]))


def _norm(function: Function, arguments: Arguments) -> object:
    return function(grads=_grads(arguments))


def _values(function: Function, arguments: Arguments) -> object:
    grads = _grads(arguments)
    clipped = function(grads=grads, limit=arguments["limit"])
    named(clipped, "clipped", {"clipped": _one_for_each(grads)})
    return _padded(clipped)


def _clip(function: Function, grads: list[Tensor], max_norm: float) -> tuple[object, object]:
    result = function(grads=grads, max_norm=max_norm)
    named(result, ("clipped", "norm"), {"clipped": _one_for_each(grads)})
    clipped, norm = result
    return _padded(clipped), norm


def _clipped_once(function: Function, arguments: Arguments) -> object:
    return _clip(function, _grads(arguments), arguments["max_norm"])


def _clipped_and_kept(function: Function, arguments: Arguments) -> object:
    """Once with the limit, and once with one that no norm can reach: the sum of all sizes."""
    grads, max_norm = _grads(arguments), arguments["max_norm"]
    copies = [grad.clone() for grad in grads]
    above = max_norm + sum(float(grad.abs().sum()) for grad in grads)
    clipped, norm = _clip(function, grads, max_norm)
    kept, _ = _clip(function, copies, above)
    return clipped, norm, kept


def probe_norm(grads: list[Tensor]) -> Tensor:
    """No length at all: another number that depends on every gradient."""
    return torch.stack([(grad.abs() + grad / 3).sum() for grad in grads]).sum() / 2


def _limit(low: int, high: int) -> Draw:
    """A limit from low / 64 to below high / 64."""
    return lambda sizes, generator: torch.randint(low, high, (), generator=generator).float() / 64


def _beyond_both_ends(*axes: str) -> Draw:
    """Numbers of which some lie beyond every limit that is drawn here, on either side."""

    def draw(sizes: Sizes, generator: Generator) -> Tensor:
        drawn = uniform(*axes)(sizes, generator).flatten()
        ends = torch.tensor([54.0, -51.0])[: len(drawn)]
        drawn[: len(ends)] = ends / 64
        return drawn.view(shape_of(axes, sizes))

    return draw


def _parameters(grads: list[Tensor]) -> list[nn.Parameter]:
    """Parameters that have these gradients: torch clips those of parameters, in place."""
    parameters = [nn.Parameter(grad.clone()) for grad in grads]
    for parameter, grad in zip(parameters, grads, strict=True):
        parameter.grad = grad.clone()
    return parameters


def _torch_clip(**inputs: Any) -> tuple[list[Tensor | None], Tensor]:
    parameters = _parameters(inputs["grads"])
    norm = nn.utils.clip_grad_norm_(parameters, inputs["max_norm"])
    return [parameter.grad for parameter in parameters], norm


def _torch_norm(**inputs: Any) -> Tensor:
    return _torch_clip(max_norm=math.inf, **inputs)[1]


def _torch_values(**inputs: Any) -> list[Tensor | None]:
    parameters = _parameters(inputs["grads"])
    nn.utils.clip_grad_value_(parameters, inputs["limit"])
    return [parameter.grad for parameter in parameters]


def _with_zeros(fixture: Fixture) -> Arrays:
    """The same limit, and gradients that are zero."""
    return {k: torch.zeros_like(v) if k in _GRADIENTS else v for k, v in fixture.inputs.items()}


def _with_only(fixture: Fixture, kept: str) -> Arrays:
    """The same limit, and one of the gradients."""
    return {k: v for k, v in fixture.inputs.items() if k not in _GRADIENTS or k == kept}


def _global_stages(*fixtures: Fixture) -> list[Stage]:
    values = "several tensors"
    first, second, *_ = fixtures
    one = _with_only(first, "grads[0]")
    return [
        shapes(first, second),
        stage("one tensor", ("one tensor", one), weight=0.2),
        stage(values, *whole(first, second), weight=0.5),
        stage("all zero", ("all zero", _with_zeros(first)), after=values, weight=0.1),
        *endings(fixtures, values, BEYOND_ONE),
    ]


global_norm = Plan(
    stubs.global_norm,
    _global_stages,
    inputs=_GRADIENTS,
    only_inputs=True,
    driver=Driver("norm", call=_norm),
    oracle=_torch_norm,
    gradients=False,
    forbidden_calls=CLIPPING,
)


HUGE = 29e3 / 9
"""A factor that makes norms so large that 1e-6 beside them is lost in float64's tolerance: torch
divides by norm + 1e-6, and that is right, too."""


def _clip_stages(*fixtures: Fixture) -> list[Stage]:
    values = "above and below max_norm"
    first, second, *_ = fixtures
    above = ("above", first.inputs)
    below = ("below", first.inputs | {"max_norm": torch.tensor(50.0)})
    zeros = ("all zero", _with_zeros(first))
    one = ("one tensor", _with_only(second, "grads[2]"))
    return [
        shapes(first, second),
        stage("the norm is above max_norm", above, driver=ONCE, weight=0.2),
        stage("the norm is below max_norm", below, driver=ONCE, weight=0.2),
        stage(values, *whole(first, second), weight=0.2),
        stage("all zero", zeros, driver=ONCE, after=values, weight=0.1),
        stage("one tensor", one, driver=ONCE, after=values, weight=0.1),
        odd_sizes(fixtures, values, driver=ONCE),
        float64(in_float64(first, HUGE), values, driver=ONCE),
        on_the_device(first, values, driver=ONCE),
        unchanged(first, second),
    ]


clip_by_global_norm = Plan(
    stubs.clip_by_global_norm,
    _clip_stages,
    inputs={**_GRADIENTS, "max_norm": _limit(20, 58)},
    only_inputs=True,
    outputs={**_CLIPPED_AXES, "norm": (), **_KEPT_AXES},
    driver=Driver((_CLIPPED, "norm", _KEPT), inputs={"max_norm": float}, call=_clipped_and_kept),
    drivers={ONCE: Driver((_CLIPPED, "norm"), inputs={"max_norm": float}, call=_clipped_once)},
    probes={"global_norm": probe_norm},
    oracle=_torch_clip,
    gradients=False,
    forbidden_calls=CLIPPING,
)


def _value_stages(*fixtures: Fixture) -> list[Stage]:
    values = "beyond the limit on both sides"
    first, second, *_ = fixtures
    within = first.inputs | {"limit": torch.tensor(1.0)}
    one = _with_only(second, "grads[2]")
    return [
        shapes(first, second),
        stage("all within the limit", ("within", within), weight=0.2),
        stage(values, *whole(first, second), weight=0.5),
        stage("one tensor", ("one tensor", one), after=values, weight=0.1),
        *endings(fixtures, values, BEYOND_ONE),
    ]


clip_by_value = Plan(
    stubs.clip_by_value,
    _value_stages,
    inputs={
        **{name: _beyond_both_ends(*axes) for name, axes in _GRADIENTS.items()},
        "limit": _limit(12, 45),
    },
    only_inputs=True,
    outputs=_CLIPPED_AXES,
    driver=Driver(_CLIPPED, inputs={"limit": float}, call=_values),
    oracle=_torch_values,
    gradients=False,
    forbidden_calls=CLIPPING,
)
