"""How the exercises of `rnncourse.clipping` are tried."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn

from ... import clipping as stubs
from ..._exercise import Function, describe
from ..drivers import Driver
from ..forbidden_calls import CLIPPING
from ..plan import Draw, Fixture, Plan, Sizes, Stage, in_float64, shape_of, uniform
from ..relations import Relation
from ..results import Arrays, Convert, WrongResultError, a_number, as_int, named
from ..stages import (
    BEYOND_ONE,
    WITHIN_TANH,
    endings,
    float64,
    odd_sizes,
    on_the_device,
    shapes,
    stage,
    unchanged,
    whole,
)

Arguments = dict[str, Any]

ONCE = "once"
"""The name of a driver that calls the function a single time and looks at no more than its results.
The exercise's own driver asks for everything at once."""

# ------------------------------------------------------------------ state_gradient_norms

_AGAIN = "norms when asked again"
_ANSWERS = "number of answers from one graph"
_GRADS = "number of .grad that changed"
_ERRORS = "number of ValueErrors for a loss without states"


def _graph(
    x: Tensor, h0: Tensor, w: Tensor, v: Tensor, first: int, last: int
) -> tuple[Tensor, list[Tensor], tuple[Tensor, ...]]:
    """A small recurrence, and a loss on its states from `first` to before `last`.

    Returns:
        loss, states, leaves: what the graph starts from.
    """
    x, h0, w = (tensor.detach().requires_grad_() for tensor in (x, h0, w))
    states, h = [], h0
    for x_t in x:
        h = torch.tanh(x_t + h @ w.T)
        states.append(h)
    read = range(first, last)
    loss = torch.stack([(v[t] * states[t] + states[t] ** 2 / 2).sum() for t in read]).sum()
    return loss, states, (x, h0, w)


def _norms(function: Function, loss: Tensor, states: list[Tensor]) -> Tensor:
    return named(function(loss=loss, states=states), "norms", {})["norms"]


def _asked_once(function: Function, arguments: Arguments) -> Tensor:
    loss, states, _ = _graph(**arguments)
    return _norms(function, loss, states)


def _asked_again(function: Function, arguments: Arguments) -> Tensor:
    """The second answer on one graph. Where there is none, `_count_answers` says so."""
    loss, states, _ = _graph(**arguments)
    answer = _norms(function, loss, states)
    try:
        return _norms(function, loss, states)
    except NotImplementedError:
        raise
    except RuntimeError:
        return answer


def _count_answers(function: Function, arguments: Arguments) -> int:
    loss, states, _ = _graph(**arguments)
    answers = 0
    try:
        for _ in range(2):
            _norms(function, loss, states)
            answers += 1
    except NotImplementedError:
        raise
    except RuntimeError:  # torch's, when a graph was freed
        pass
    return answers


def _count_grads(function: Function, arguments: Arguments) -> int:
    loss, states, leaves = _graph(**arguments)
    _norms(function, loss, states)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of a look at the .grad of a state
        return sum(tensor.grad is not None for tensor in (*leaves, *states))


def _count_errors(function: Function, arguments: Arguments) -> int:
    _, states, leaves = _graph(**arguments)
    try:
        function(loss=leaves[0].square().sum(), states=states)
    except NotImplementedError:
        raise
    except ValueError:
        return 1
    except Exception:
        return 0
    return 0


_QUESTIONS: dict[str, Callable[[Function, Arguments], object]] = {
    "norms": _asked_once,
    _AGAIN: _asked_again,
    _ANSWERS: _count_answers,
    _GRADS: _count_grads,
    _ERRORS: _count_errors,
}


def _norms_driver(*questions: str) -> Driver:
    """A driver that puts these questions, each on a graph of its own."""

    def call(function: Function, arguments: Arguments) -> object:
        return tuple(_QUESTIONS[question](function, arguments) for question in questions)

    return Driver(
        questions,
        inputs={"first": int, "last": int},
        results=dict.fromkeys((_ANSWERS, _GRADS, _ERRORS), as_int),
        call=call,
        records=True,
    )


def _with_all_used(fixture: Fixture) -> Fixture:
    """The same states, and a loss that goes on to the last of them."""
    return fixture.replaced(last=torch.tensor(len(fixture["x"])))


def _norms_stages(*fixtures: Fixture) -> list[Stage]:
    values = "a loss on several states"
    first, second, *_ = fixtures
    used = [_with_all_used(fixture) for fixture in fixtures]
    inputs = used[0].inputs
    sizes = ("sizes 1", inputs), ("sizes 2", used[1].inputs)
    single = inputs | {k: inputs[k][:1] for k in ("x", "v")}
    single |= {"first": torch.tensor(0), "last": torch.tensor(1)}
    last = inputs | {"first": torch.tensor(len(inputs["x"]) - 1)}
    unused = ("unused", first.inputs)
    return [
        stage("shapes", *sizes, driver=ONCE, aspect="shapes", after="", weight=0.1),
        stage("a single state", ("a single state", single), driver=ONCE, weight=0.1),
        stage("a loss on the last state", ("the last state", last), driver=ONCE, weight=0.15),
        stage(values, *sizes, driver=ONCE, weight=0.2),
        stage("a state that the loss does not use", unused, driver=ONCE, after=values, weight=0.1),
        stage("can be asked again", ("again", inputs), driver="again", after=values, weight=0.1),
        stage(
            "leaves every .grad alone", ("grads", inputs), driver="grads", after=values, weight=0.05
        ),
        stage(
            "a loss without states", ("errors", inputs), driver="errors", after=values, weight=0.05
        ),
        stage("all together", *whole(first, second), after=values, weight=0.05),
        odd_sizes(used, values, driver=ONCE),
        float64(in_float64(used[0], WITHIN_TANH), values, driver=ONCE),
        on_the_device(used[0], values, driver=ONCE),
    ]


state_gradient_norms = Plan(
    stubs.state_gradient_norms,
    _norms_stages,
    inputs={
        "x": ("T", "N", "H"),
        "h0": ("N", "H"),
        "w": ("H", "H"),
        "v": ("T", "N", "H"),
        "first": lambda sizes, _: torch.tensor((sizes["T"] - 1) // 2),
        "last": lambda sizes, _: torch.tensor(sizes["T"] - 1),
    },
    only_inputs=True,
    outputs={_AGAIN: ("T",)},
    driver=_norms_driver(*_QUESTIONS),
    drivers={
        ONCE: _norms_driver("norms"),
        "again": _norms_driver(_AGAIN, _ANSWERS),
        "grads": _norms_driver(_GRADS),
        "errors": _norms_driver(_ERRORS),
    },
    gradients=False,
)


# ------------------------------------------------------------------ functions of gradients

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


def _probe_norm(grads: list[Tensor]) -> Tensor:
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
    probes={"global_norm": _probe_norm},
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


# ------------------------------------------------------------------ clipped_training_step

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
    return [torch.sin(grad) * share for grad in grads], _probe_norm(grads)


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
