"""What frames between the grader and the sandbox hold: calls, outcomes and figures."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args, get_type_hints

import torch

from ...checks.drivers import Outcome, Problem
from ...checks.plan import Case, Plan
from ...checks.results import Arrays, leaves
from .protocol import Frame, ProtocolError, cannot_travel, clean

MAX_FIGURES = 6
"""Kept of a notebook."""


MAX_FIGURE = 300_000
"""Bytes of a figure."""


MAX_PIXELS = 4000
"""The longest side of a figure."""


KINDS = get_args(get_type_hints(Problem)["kind"])


_PNG = struct.Struct(">8sI4sII")  # signature, then the first chunk's length, kind and first fields


def is_figure(file: bytes) -> bool:
    """Whether a file begins as a PNG file of a sensible size. It is not decoded."""
    if len(file) > MAX_FIGURE or len(file) < _PNG.size:
        return False
    signature, length, kind, width, height = _PNG.unpack_from(file)
    begins = signature == b"\x89PNG\r\n\x1a\n" and (length, kind) == (13, b"IHDR")
    return bool(begins and 0 < width <= MAX_PIXELS and 0 < height <= MAX_PIXELS)


def figures_in(frame: Frame) -> tuple[bytes, ...]:
    """The figures that a cell's frame carries as its arrays.

    Raises:
        ProtocolError: one is none.
    """
    if not frame.arrays:
        return ()
    files = tuple(array.numpy().tobytes() for array in frame.arrays.values())
    if any(array.dtype != torch.uint8 for array in frame.arrays.values()):
        raise ProtocolError("a figure does not consist of bytes.")
    if not all(is_figure(file) for file in files):
        raise ProtocolError("a figure is no PNG file, or too large.")
    return files


def figure_arrays(files: Iterable[bytes]) -> Arrays:
    """The arrays that carry figures."""
    return {
        f"figure {k}": torch.frombuffer(bytearray(file), dtype=torch.uint8)
        for k, file in enumerate(files)
    }


@dataclass(frozen=True)
class Form:
    """What the outcome of a case must look like to be complete.

    Attributes:
        inputs: the names of the case's inputs.
        results: the names of the results.
        gradients: shape and dtype of each gradient that is asked for.
    """

    inputs: tuple[str, ...]
    results: frozenset[str]
    gradients: dict[str, tuple[torch.Size, torch.dtype]]

    @staticmethod
    def of(plan: Plan, case: Case) -> Form:
        """The form of a case's outcome."""
        driver = plan.driver_of(case.driver)
        asked_for = {
            name: (value.shape, value.dtype)
            for name, value in case.inputs.items()
            if case.cotangents and driver.differentiable(name, value)
        }
        return Form(tuple(case.inputs), frozenset(leaves(driver.structure)), asked_for)


def case_frame(case: Case) -> Frame:
    """The frame that asks for a call."""
    return Frame({"driver": case.driver, "probed": case.probed}, case.inputs, case.cotangents)


def read_case(frame: Frame) -> Case:
    """The call that a frame asks for."""
    header = frame.header
    return Case("", frame.arrays, frame.gradients, header["driver"], header["probed"])


def outcome_frame(outcome: Outcome) -> Frame:
    """The frame that carries an outcome out of the sandbox."""
    for name, array in (*outcome.arrays.items(), *outcome.gradients.items()):
        if hindrance := cannot_travel(array):
            return outcome_frame(Outcome(problem=Problem("result", f"{name} {hindrance}.")))
    header = {
        "problem": _problem_parts(outcome.problem),
        "gradient_problem": _problem_parts(outcome.gradient_problem),
        "changed": list(outcome.changed),
    }
    return Frame(header, outcome.arrays, outcome.gradients)


def read_outcome(frame: Frame, form: Form) -> Outcome:
    """The outcome in a frame that a learner's process sent for a case of this form.

    It is complete: unless it has a problem, it has every result, and every gradient that was asked
    for or a gradient problem. What is left out must not pass for right.

    Raises:
        ProtocolError: it is not what the case's driver gives.
    """
    problem = _problem(frame.header.get("problem"))
    if problem:
        return Outcome(problem=problem)
    gradient_problem = _problem(frame.header.get("gradient_problem"))
    gradients = {} if gradient_problem else form.gradients
    if frame.arrays.keys() != form.results or frame.gradients.keys() != gradients.keys():
        raise ProtocolError("the results are not those that were asked for.")
    for name, (shape, dtype) in gradients.items():
        if frame.gradients[name].shape != shape or frame.gradients[name].dtype != dtype:
            raise ProtocolError(f"the gradient of {name} does not have its shape and dtype.")
    changed = frame.header.get("changed")
    if not isinstance(changed, list):
        raise ProtocolError("the list of changed inputs is missing.")
    known = tuple(name for name in form.inputs if name in changed) if changed else ()
    return Outcome(frame.arrays, frame.gradients, gradient_problem=gradient_problem, changed=known)


def _problem_parts(problem: Problem | None) -> list[str] | None:
    return [problem.kind, clean(problem.text), problem.unfilled] if problem else None


def _problem(value: object) -> Problem | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 3 or value[0] not in KINDS:
        raise ProtocolError("a problem is not of a known kind.")
    return Problem(value[0], clean(value[1]), clean(value[2]))
