"""Drivers: named arrays in, a call of a function, named arrays out.

The same driver runs a reference and a learner's function, in a check and, for grading, on the two
sides of the sandbox. A driver holds no answer.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from .._axes import Axes, Structure, declaration
from .._exercise import Exercise, Function, UnfilledError, left_blank, substituted
from .._torch_defaults import torch_defaults
from .errors import explain, legend
from .results import Arrays, Convert, WrongResultError, a_number, as_int, named

MAX_MESSAGE = 200
MAX_READ = 4000
"""Characters of an error's message that are looked at: a learner may have made it of millions."""
NOTHING: Mapping[str, Any] = {}


def _site_folders() -> Iterator[str]:
    """Where packages are installed: in the grader's sandbox elsewhere than Python is."""
    for folder in sys.path:
        if any(Path(folder or ".").glob("*.dist-info")):
            yield folder


LIBRARIES = (
    str(Path(__file__).parents[1]),
    str(Path(torch.__file__).parents[1]),
    *_site_folders(),
    sys.prefix,
    sys.base_prefix,
)
"""Where code lies that is not the learner's."""

ELSEWHERE = (
    " is not on the device of the inputs: make new tensors with x.new_zeros or torch.zeros_like."
)
CUT_OFF = (
    "no gradient can flow back: the result is cut off from every input (by detach, .data, .item(), "
    "numpy or no_grad)."
)


@dataclass(frozen=True)
class Problem:
    """Why a call gave nothing to compare.

    Attributes:
        text: a sentence for the learner.
        unfilled: the exercise that is not filled in, where that is the reason.
    """

    kind: Literal["unfilled", "raised", "result"]
    text: str
    unfilled: str = ""


@dataclass
class Outcome:
    """What one call gave.

    Attributes:
        arrays: the results by name.
        gradients: those by each input that were asked for, by its name.
        problem: why the call failed, if it did.
        gradient_problem: why there are no gradients, where they were asked for.
        changed: the inputs that the call changed in place.
    """

    arrays: Arrays = field(default_factory=dict)
    gradients: Arrays = field(default_factory=dict)
    problem: Problem | None = None
    gradient_problem: Problem | None = None
    changed: tuple[str, ...] = ()


def by_name(function: Function, arguments: dict[str, Any]) -> object:
    """Pass each argument by its name."""
    return function(**arguments)


def as_they_are(arrays: Arrays) -> Arrays:
    """Pass a case's arrays on."""
    return arrays


_CONVERTS: Mapping[Any, Convert] = {float: a_number, int: as_int}
"""What makes a tensor of a result that is none, by its type."""


@dataclass(frozen=True)
class Driver:
    """Calls a function of named arrays.

    Attributes:
        structure: the names of its results.
        inputs: what makes an argument that is no tensor of an array, such as float or int. No
            gradients are asked for by these.
        results: what makes a tensor of a result that is none.
        call: calls the function with the arguments and gives its results, where more is to be done
            than to pass each by its name: building a model, making lists.
        records: whether the function needs to record gradients itself, as a training step does.
        shown: makes of a case's arguments those of the function, to be told where a number is
            wrong; None where `call` passes them on by name or does more with them.
        prepare: makes the inputs of a case's arrays, where some follow from others, such as a state
            from the weights. For functions whose gradients are not asked for.
    """

    structure: Structure
    inputs: Mapping[str, Callable[[Tensor], Any]] = field(default_factory=dict)
    results: Mapping[str, Convert] = field(default_factory=dict)
    call: Callable[[Function, dict[str, Any]], object] = by_name
    records: bool = False
    prepare: Callable[[Arrays], Arrays] = as_they_are
    shown: Callable[[dict[str, Any]], Mapping[str, Any]] | None = None

    @staticmethod
    def of(stub: Function) -> Driver:
        """A driver that passes each input by its name, as a stub's annotations say."""
        declared = declaration(stub)
        return Driver(
            declared.structure,
            {name: type_ for name, type_ in declared.types.items() if type_ in (bool, float, int)},
            {
                name: _CONVERTS[declared.types[name]]
                for name in declared.results
                if declared.types[name] in _CONVERTS
            },
        )

    def __call__(
        self,
        function: Function,
        inputs: Arrays,
        cotangents: Mapping[str, Tensor] = NOTHING,
        probes: Mapping[str, Function] = NOTHING,
        axes: Mapping[str, Axes] = NOTHING,
    ) -> Outcome:
        """Call `function` on inputs. With cotangents, one for each result y, the gradients of
        sum(y * cotangent) by every float input come back as well.

        Args:
            probes: what takes the place of other exercises during the call.
            axes: of the inputs, for what is said of an error.
        """
        if not probes:
            return self._run(function, inputs, cotangents, axes)
        with substituted(probes, user=function):
            return self._run(function, inputs, cotangents, axes)

    def arguments(self, inputs: Arrays) -> Mapping[str, Any]:
        """What the function is called with, for sentences; empty where that takes more words."""
        given = self._arguments(inputs)
        if self.shown:
            return self.shown(given)
        return given if self.call is by_name else {}

    def _arguments(self, inputs: Arrays) -> dict[str, Any]:
        return {k: self.inputs[k](v) if k in self.inputs else v for k, v in inputs.items()}

    def differentiable(self, name: str, value: Tensor) -> bool:
        """Whether a gradient by this input is asked for, where gradients are."""
        return value.is_floating_point() and name not in self.inputs

    @torch_defaults()
    def _run(
        self,
        function: Function,
        given: Arrays,
        cotangents: Mapping[str, Tensor],
        axes: Mapping[str, Axes],
    ) -> Outcome:
        inputs = self.prepare(given)
        if not cotangents:
            return self._without_gradients(function, inputs, axes)
        try:
            return self._with_gradients(function, inputs, cotangents)
        except (Exception, SystemExit) as error:
            problem = _problem(error, inputs, axes)
        outcome = self._without_gradients(function, inputs, axes)  # which may still be right
        outcome.gradient_problem = None if outcome.problem else problem
        return outcome

    def _without_gradients(
        self, function: Function, inputs: Arrays, axes: Mapping[str, Axes]
    ) -> Outcome:
        copies = {k: v.clone() for k, v in inputs.items()}
        try:
            with torch.set_grad_enabled(self.records):
                results = self._call(function, copies)
        except (Exception, SystemExit) as error:
            return Outcome(problem=_problem(error, inputs, axes))
        return Outcome(_detached(results), changed=_changed(inputs, copies))

    def _with_gradients(
        self, function: Function, inputs: Arrays, cotangents: Mapping[str, Tensor]
    ) -> Outcome:
        """One call for the results and the gradients through them."""
        leaves = {k: v.clone().requires_grad_(self.differentiable(k, v)) for k, v in inputs.items()}
        with torch.enable_grad():
            results = self._call(function, leaves)
        outcome = Outcome(_detached(results), changed=_changed(inputs, leaves))
        attached = [k for k in cotangents if results[k].requires_grad]
        if not attached:
            outcome.gradient_problem = Problem("result", CUT_OFF)
            return outcome
        wanted = {k: v for k, v in leaves.items() if v.requires_grad}
        # One number to go back from: with a list of results torch would load sympy, for half a
        # second.
        with torch.enable_grad():
            first, *rest = [
                (results[k] * cotangents[k].expand_as(results[k]).to(results[k].dtype)).sum()
                for k in attached
            ]
            total = sum(rest, first)
        grads = torch.autograd.grad(
            total.real if total.is_complex() else total, list(wanted.values()), allow_unused=True
        )
        outcome.gradients = {
            k: torch.zeros_like(v) if g is None else g
            for (k, v), g in zip(wanted.items(), grads, strict=True)
        }
        return outcome

    def _call(self, function: Function, inputs: Arrays) -> Arrays:
        results = named(self.call(function, self._arguments(inputs)), self.structure, self.results)
        device = next((v.device for v in inputs.values() if v.ndim), torch.device("cpu"))
        for name, value in results.items():
            if value.layout != torch.strided or value.is_quantized or value.is_nested:
                raise WrongResultError(f"{name} must be an ordinary, dense tensor.")
            if value.device != device and name not in self.results:
                raise WrongResultError(name + ELSEWHERE)
        return results


def _detached(results: Arrays) -> Arrays:
    return {k: v.detach() for k, v in results.items()}


def _changed(inputs: Arrays, passed_on: Arrays) -> tuple[str, ...]:
    """The inputs whose copies are no longer like them after a call."""
    return tuple(k for k, v in inputs.items() if not _same(v, passed_on[k]))


def _same(before: Tensor, after: Tensor) -> bool:
    if before.is_meta:
        return True
    return before.shape == after.shape and torch.equal(before, after)


def _problem(error: BaseException, inputs: Arrays, axes: Mapping[str, Axes]) -> Problem:
    if isinstance(error, WrongResultError):
        return Problem("result", str(error))
    blank: Exercise | None = None
    if isinstance(error, UnfilledError):
        blank = error.exercise
    elif isinstance(error, NotImplementedError):
        blank = left_blank(error)
    if blank is not None:
        return Problem("unfilled", blank.what_is_missing(), blank.name)
    message = _message(error)
    if "is not on the expected device" in message:
        return Problem("result", f"a tensor it makes{ELSEWHERE}")
    shapes = ", ".join(f"{k} {tuple(v.shape)}" for k, v in inputs.items() if v.ndim)
    where = "." if _called_exit(error) else _line_of(error)  # else a line of IPython's
    told = f"it raised {_said(error)}{where} Given: {shapes}.{legend(message, inputs, axes)}"
    advice = explain(message, inputs, axes)
    return Problem("raised", f"{advice} As it is, {told}" if advice else told)


def _said(error: BaseException) -> str:
    """The kind of an error and the first line of its message; in plain words where these would
    tell of torch's or IPython's insides."""
    if isinstance(error, SystemExit) or _called_exit(error):
        return "SystemExit: it called exit, which ends the whole program"
    if _wanted_too_much(error):
        return "MemoryError: it asked for more memory than there is"
    message = _message(error).strip().split("\n")[0].rstrip(".")[:MAX_MESSAGE]
    kind = type(error).__name__
    return f"{kind}: {message}" if message else kind


def _message(error: BaseException) -> str:
    """The beginning of an error's own words; "" where it has none, as a learner may have made
    it."""
    try:
        return str(error)[:MAX_READ]
    except Exception:
        return ""


def _called_exit(error: BaseException) -> bool:
    """Whether this is what IPython's exit() comes to outside a terminal or a kernel."""
    return isinstance(error, AttributeError) and error.name == "ask_exit"


def _wanted_too_much(error: BaseException) -> bool:
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and "alloc_cpu.cpp" in _message(error)


def _line_of(error: BaseException) -> str:
    """The learner's own line that an error came from, if its source is known."""
    found = "."
    trace = error.__traceback__
    while trace:
        frame = trace.tb_frame
        name = frame.f_code.co_filename
        if not name.startswith(LIBRARIES):
            line = linecache.getline(name, trace.tb_lineno).strip()
            found = f", in {frame.f_code.co_name}:  {line}  —" if line else found
        trace = trace.tb_next
    return found
