"""Drivers: named arrays in, a call of a function, named arrays out.

The same driver runs a reference and a learner's function, in a check and, for grading, on the two
sides of the sandbox. A driver holds no answer.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from ..exercise import Exercise, Unfilled, a_kind, left_blank, substituted

Arrays = dict[str, Tensor]
Function = Callable[..., Any]
Structure = str | tuple["Structure", ...]
"""The names of results, nested as the function nests them: ("output", ("h_n", "c_n"))."""

MAX_MESSAGE = 200
LIBRARIES = (str(Path(__file__).parents[1]), sys.prefix, sys.base_prefix)
"""Where code lies that is not the learner's."""

ELSEWHERE = (
    " is not on the device of the inputs: make new tensors with x.new_zeros or torch.zeros_like."
)
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
        except (Exception, SystemExit) as error:
            outcome.problem = _problem(error, inputs)
            return outcome
        outcome.changed = tuple(k for k, v in inputs.items() if not _same(v, copies[k]))
        cotangents = {k.removeprefix(COTANGENT): v for k, v in arrays.items() if k not in inputs}
        if cotangents:
            try:
                outcome.arrays |= self._gradients(function, inputs, cotangents, outcome.arrays)
            except (Exception, SystemExit) as error:
                outcome.gradient_problem = _problem(error, inputs)
        return outcome

    def _call(self, function: Function, inputs: Arrays) -> Arrays:
        arguments = {k: float(v) if k in self.scalars else v for k, v in inputs.items()}
        results = _named(function(**arguments), self.structure)
        device = next(v.device for v in inputs.values() if v.ndim)
        for name, value in results.items():
            if value.layout != torch.strided or value.is_quantized or value.is_nested:
                raise WrongResult(f"{name} must be an ordinary, dense tensor.")
            if value.device != device:
                raise WrongResult(name + ELSEWHERE)
        return results

    def _gradients(
        self, function: Function, inputs: Arrays, cotangents: Arrays, first: Arrays
    ) -> Arrays:
        leaves = {
            k: v.clone().requires_grad_(v.is_floating_point() and k not in self.scalars)
            for k, v in inputs.items()
        }
        with torch.enable_grad():
            results = self._call(function, leaves)
            if not all(_alike(results[k], v) for k, v in first.items()):
                raise WrongResult(
                    "a second call on the same inputs gives other numbers: is something kept "
                    "from one call to the next?"
                )
        wanted = {k: v for k, v in leaves.items() if v.requires_grad}
        attached = [k for k in cotangents if results[k].requires_grad]
        if not attached:
            raise WrongResult(
                "no gradient can flow back: the result is cut off from every input "
                "(by detach, .data, .item(), numpy or no_grad)."
            )
        grads = torch.autograd.grad(
            [results[k] for k in attached],
            list(wanted.values()),
            [cotangents[k].expand_as(results[k]).to(results[k].dtype) for k in attached],
            allow_unused=True,
        )
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
    if result is None:
        raise WrongResult(f"it must return {wanted}; yours returns None: is the return missing?")
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


def _alike(first: Tensor, second: Tensor) -> bool:
    """Whether two calls gave the same, up to the order of additions."""
    first, second = first.detach(), second.detach()
    return first.shape == second.shape and (
        torch.equal(first, second)
        or torch.allclose(first.double(), second.double(), rtol=1e-4, atol=1e-5, equal_nan=True)
    )


def _same(before: Tensor, after: Tensor) -> bool:
    if before.is_meta:
        return True
    return before.shape == after.shape and torch.equal(before, after)


def _problem(error: BaseException, inputs: Arrays) -> Problem:
    if isinstance(error, WrongResult):
        return Problem("result", str(error))
    blank: Exercise | None = None
    if isinstance(error, Unfilled):
        blank = error.exercise
    elif isinstance(error, NotImplementedError):
        blank = left_blank(error)
    if blank is not None:
        return Problem("unfilled", blank.what_is_missing())
    if "is not on the expected device" in str(error):
        return Problem("result", f"a tensor it makes{ELSEWHERE}")
    shapes = ", ".join(f"{k} {tuple(v.shape)}" for k, v in inputs.items() if v.ndim)
    return Problem("raised", f"it raised {_said(error)}{_line_of(error)} Given: {shapes}.")


def _said(error: BaseException) -> str:
    """The kind of an error and the first line of its message."""
    try:
        message = str(error).strip().split("\n")[0].rstrip(".")[:MAX_MESSAGE]
    except Exception:
        message = ""
    kind = type(error).__name__
    return f"{kind}: {message}" if message else kind


def _line_of(error: BaseException) -> str:
    """The learner's own line that an error came from, if its source is known."""
    found = "."
    trace = error.__traceback__
    while trace:
        frame = trace.tb_frame
        name = frame.f_code.co_filename
        if not name.startswith(LIBRARIES):
            line = linecache.getline(name, trace.tb_lineno).strip()
            found = f", in {frame.f_code.co_name}:  {line} " if line else found
        trace = trace.tb_next
    return found


def _lstm_probe_cell(
    x: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, Tensor]:
    """No LSTM at all: a function of every number in its arguments, which a correct loop has to
    carry. As in torch's cell, the biases count by their sum."""
    first, second, third, fourth = (x @ w_ih.T + h @ w_hh.T + b_ih + b_hh).chunk(4, dim=1)
    h_next = torch.sin(first - second / 2 + third / 3 - c)
    c_next = c / 2 + torch.cos(second + fourth / 2 - third / 4) + h / 3
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
