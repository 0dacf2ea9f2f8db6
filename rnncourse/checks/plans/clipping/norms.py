"""How `state_gradient_norms` is tried: each side of it on a graph of its own."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from .... import clipping as stubs
from ...._exercise import Function
from ...drivers import Driver
from ...plan import Fixture, Plan, Stage, in_float64
from ...results import as_int, named
from ...stages import (
    WITHIN_TANH,
    float64,
    odd_sizes,
    on_the_device,
    stage,
    whole,
)
from .common import ONCE, Arguments

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
