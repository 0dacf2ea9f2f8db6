"""Drivers: named arrays in, a call of a function, named arrays out.

The same driver runs a reference and a learner's function, in a check and, for grading, on the two
sides of the sandbox. A driver holds no answer.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from ..exercise import Exercise, Unfilled, a_kind, left_blank, substituted

Arrays = dict[str, Tensor]
Function = Callable[..., Any]
Structure = str | tuple["Structure", ...]
"""The names of results, nested as the function nests them: ("output", ("h_n", "c_n"))."""

COTANGENT = "cotangent of "
GRADIENT = "gradient of "


@dataclass(frozen=True)
class Problem:
    """Why a call gave nothing to compare. `text` is a sentence for the learner."""

    kind: Literal["unfilled", "raised", "result"]
    text: str


@dataclass
class Outcome:
    """What one call gave.

    Attributes:
        arrays: the results by name, and their gradients as "gradient of x".
        problem: why the call failed, if it did.
        gradient_problem: why there are no gradients, where they were asked for.
        changed: the inputs that the call changed in place.
    """

    arrays: Arrays = field(default_factory=dict)
    problem: Problem | None = None
    gradient_problem: Problem | None = None
    changed: tuple[str, ...] = ()


class WrongResult(Exception):
    """What was returned is not what the exercise asks for, in kind or number."""


@dataclass(frozen=True)
class Driver:
    """Calls a function of named arrays.

    Attributes:
        structure: the names of its results.
        scalars: inputs that are passed as Python floats.
        probe: the exercise whose place `probe_cell` takes during the call.
    """

    structure: Structure
    scalars: tuple[str, ...] = ()
    probe: tuple[str, Function] | None = None

    def __call__(self, function: Function, arrays: Arrays) -> Outcome:
        """Call `function` on `arrays`. Inputs named "cotangent of y" are not passed on: with them
        the gradients of sum(y * cotangent) by every float input come back as well."""
        if self.probe is None:
            return self._run(function, arrays)
        with substituted(*self.probe, user=function):
            return self._run(function, arrays)

    def _run(self, function: Function, arrays: Arrays) -> Outcome:
        inputs = {k: v for k, v in arrays.items() if not k.startswith(COTANGENT)}
        outcome = Outcome()
        copies = {k: v.clone() for k, v in inputs.items()}
        try:
            with torch.no_grad():
                outcome.arrays = self._call(function, copies)
        except Exception as error:
            outcome.problem = _problem(error, function)
            return outcome
        outcome.changed = tuple(k for k, v in inputs.items() if not _same(v, copies[k]))
        cotangents = {k.removeprefix(COTANGENT): v for k, v in arrays.items() if k not in inputs}
        if cotangents:
            try:
                outcome.arrays |= self._gradients(function, inputs, cotangents)
            except Exception as error:
                outcome.gradient_problem = _problem(error, function)
        return outcome

    def _call(self, function: Function, inputs: Arrays) -> Arrays:
        arguments = {k: float(v) if k in self.scalars else v for k, v in inputs.items()}
        return _named(function(**arguments), self.structure)

    def _gradients(self, function: Function, inputs: Arrays, cotangents: Arrays) -> Arrays:
        leaves = {
            k: v.clone().requires_grad_(v.is_floating_point() and k not in self.scalars)
            for k, v in inputs.items()
        }
        with torch.enable_grad():
            results = self._call(function, leaves)
            total = sum((results[k] * v).sum() for k, v in cotangents.items())
        wanted = {k: v for k, v in leaves.items() if v.requires_grad}
        if not isinstance(total, Tensor) or not total.requires_grad:
            raise WrongResult(
                "no gradient can flow back: the result is cut off from every input "
                "(by detach, .data, .item(), numpy or no_grad)."
            )
        grads = torch.autograd.grad(total, list(wanted.values()), allow_unused=True)
        return {
            GRADIENT + k: torch.zeros_like(v) if g is None else g
            for (k, v), g in zip(wanted.items(), grads, strict=True)
        }


def leaves(structure: Structure) -> list[str]:
    """The names in a structure, in order."""
    if isinstance(structure, str):
        return [structure]
    return [name for part in structure for name in leaves(part)]


def _named(result: object, structure: Structure) -> Arrays:
    """The tensors in `result` under the names of `structure`, detached from nothing.

    Raises:
        WrongResult: `result` is something else, with a sentence that says what.
    """
    if isinstance(structure, str):
        if not isinstance(result, Tensor):
            raise WrongResult(f"{structure} must be a tensor; yours is {a_kind(result)}.")
        return {structure: result}
    wanted = written(structure)
    if not isinstance(result, tuple | list):
        raise WrongResult(f"it must return {wanted}; yours returns {a_kind(result)}.")
    if len(result) != len(structure):
        raise WrongResult(
            f"it must return {wanted}, {len(structure)} values; yours returns {len(result)}."
        )
    found: Arrays = {}
    for part, name in zip(result, structure, strict=True):
        found |= _named(part, name)
    return found


def written(structure: Structure) -> str:
    """A structure as one writes it in Python: "output, (h_n, c_n)"."""
    if isinstance(structure, str):
        return structure
    parts = [p if isinstance(p, str) else f"({written(p)})" for p in structure]
    return ", ".join(parts)


def _same(before: Tensor, after: Tensor) -> bool:
    if before.is_meta:
        return True
    return before.shape == after.shape and torch.equal(before, after)


def _problem(error: Exception, function: Function) -> Problem:
    if isinstance(error, WrongResult):
        return Problem("result", str(error))
    blank: Exercise | None = None
    if isinstance(error, Unfilled):
        blank = error.exercise
    elif isinstance(error, NotImplementedError):
        blank = left_blank(error)
    if blank is not None:
        return Problem("unfilled", str(Unfilled(blank)))
    return Problem("raised", f"it raised {type(error).__name__}: {error}{_line_of(error)}")


def _line_of(error: Exception) -> str:
    """The learner's own line that an error came from, if its source is known."""
    found = ""
    trace = error.__traceback__
    while trace:
        frame = trace.tb_frame
        owner = str(frame.f_globals.get("__name__", ""))
        if not f"{owner}.".startswith(("rnncourse.exercise.", "rnncourse.checks.", "torch.")):
            line = linecache.getline(frame.f_code.co_filename, trace.tb_lineno).strip()
            found = f", in the line:  {line}" if line else found
        trace = trace.tb_next
    return found


def _lstm_probe_cell(
    x: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, Tensor]:
    """No LSTM at all: any function of the seven arguments that a correct loop has to carry."""
    size = h.shape[1]
    h_next = torch.sin(x @ w_ih[:size].T + h @ w_hh[:size].T + b_ih[:size] - c)
    c_next = c / 2 + h_next * b_hh[:size] + h / 3
    return h_next, c_next


_LAYER: Structure = ("output", ("h_n", "c_n"))
_PACKED: Structure = ("w_ih", "w_hh", "b_ih", "b_hh")
_GATES: Structure = ("w_f", "w_i", "w_c", "w_o", "b_f", "b_i", "b_c", "b_o")

PROBE = " with a probe cell"
DRIVERS: dict[str, Driver] = {
    "lstm_cell": Driver(("h'", "c'")),
    "lstm_layer": Driver(_LAYER),
    "lstm_layer" + PROBE: Driver(_LAYER, probe=("lstm_cell", _lstm_probe_cell)),
    "pack_gates": Driver(_PACKED),
    "unpack_gates": Driver(_GATES),
    "set_forget_bias": Driver(("b_ih", "b_hh"), scalars=("value",)),
}
