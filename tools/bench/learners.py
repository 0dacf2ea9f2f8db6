"""An honest class of any size: who handed in what, the same for the same seed.

Most answers are right, in several styles; others hold known mistakes, do not run, or are missing.
Nobody cheats and nothing runs for ever. The first learners of a large class are those of a small
one, so two graders can be compared on them.
"""

from __future__ import annotations

import ast
import base64
import inspect
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from random import Random
from types import CodeType
from typing import Any, Literal

import matplotlib.pyplot as plt

from rnncourse._exercise import exercises
from rnncourse._notebook import grade_id
from tools.answers import known, right
from tools.answers import lstm as answers_of_others
from tools.demonstration.learners import ASSIGNMENT, answer, solutions

Kind = Literal["all right", "mistakes", "cells with errors", "unfinished", "nothing filled in"]
SHARES: dict[Kind, int] = {
    "all right": 45,
    "mistakes": 34,
    "cells with errors": 10,
    "unfinished": 8,
    "nothing filled in": 3,
}
"""How many learners of a hundred are of a kind."""

HELPERS = ("chained",)
"""Functions of tools/answers that answers there call: learners put them into a cell of theirs."""

GATES = """
@fill
def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
    sums = x @ w_ih.T + b_ih + h @ w_hh.T + b_hh
    {}, {}, {}, {} = sums.chunk(4, dim=1)
    c_next = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_next), c_next
"""

WARNS = """
@fill
def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
    # .T of a bias does nothing, and torch warns on stderr that it will be an error one day
    i, f, g, o = (x @ w_ih.T + b_ih.T + h @ w_hh.T + b_hh.T).chunk(4, dim=1)
    c_next = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_next), c_next
"""

TRIED = """
N, I, H = 2, 3, 4
h, c = lstm_cell(
    torch.randn(N, I), torch.zeros(N, H), torch.zeros(N, H),
    torch.randn(4 * H, I), torch.randn(4 * H, H), torch.zeros(4 * H), torch.zeros(4 * H),
)
print(h.shape, c.shape)
print(h)
"""
LOOKED = """
a = torch.arange(12).view(4, 3)
for block in a.chunk(4):
    print(block, block.shape)
"""
PLOTTED = """
z = torch.linspace(-4, 4, 50)
plt.plot(z, torch.sigmoid(z), label="sigmoid")
plt.plot(z, torch.tanh(z), label="tanh")
plt.legend()
plt.show()
"""
MISSPELT = "print(hiden_size)"
THOUGHTS = """
My guess: the curve with forget gate 0.99 stays above one half, since 0.99 to the power of 17 is
about 0.84. The order of the blocks is **i, f, g, o**, so the forget gate has rows H to 2H.
"""


@dataclass(frozen=True)
class OwnCell:
    """A cell that a learner added after the cell with the id `after`."""

    after: str
    cell_type: Literal["code", "markdown"]
    source: str
    figure: bool = False


@dataclass
class Learner:
    """One learner.

    Attributes:
        answers: the sources of the cells that were filled, by exercise.
        outputs: whether the file was handed in with its outputs.
    """

    name: str
    kind: Kind
    answers: dict[str, str] = field(default_factory=dict)
    own: list[OwnCell] = field(default_factory=list)
    outputs: bool = False


def honest_class(size: int, seed: int) -> Iterator[Learner]:
    """The first learners of the class of a seed."""
    for number in range(1, size + 1):
        yield _learner(number, Random(f"{seed} {number}"))


def submission(learner: Learner, released: dict[str, Any]) -> str:
    """The file that a learner hands in, made from a released notebook."""
    cells = []
    for cell in released["cells"]:
        name = grade_id(cell)
        if name in learner.answers:
            cell = cell | {"source": learner.answers[name].strip()}
        if learner.outputs and name.startswith("check_"):
            cell = cell | {"outputs": [_printed(name)], "execution_count": 1}
        cells.append(cell)
        cells += [
            _cell(own, f"own-{name}-{number}".replace("_", "-"), learner.outputs)
            for number, own in enumerate(o for o in learner.own if o.after == name)
        ]
    return json.dumps(released | {"cells": cells}, indent=1)


def _learner(number: int, random: Random) -> Learner:
    kind = random.choices(list(SHARES), list(SHARES.values()))[0]
    learner = Learner(f"learner-{number:05}", kind, outputs=random.random() < 0.5)
    if kind != "nothing filled in":
        _fill(learner, random)
        _add_own_cells(learner, random)
    return learner


def _fill(learner: Learner, random: Random) -> None:
    names = [entry.name for entry in exercises().values() if entry.chapter == ASSIGNMENT]
    for name in names:
        _answer(learner, name, random.choice(_right_answers(name)))
    if learner.kind == "mistakes":
        for name in random.sample(names, random.choice((1, 1, 2, 3))):
            _answer(learner, name, random.choice(_wrong_answers(name)))
    elif learner.kind == "cells with errors":
        for name in random.sample(names, random.choice((1, 1, 2))):
            learner.answers[name] = _broken(learner.answers[name], random)
    elif learner.kind == "unfinished":
        for name in names[random.randint(1, len(names) - 1) :]:
            del learner.answers[name]
    elif random.random() < 0.06:
        learner.answers["lstm_cell"] = WARNS
    if random.random() < 0.04:
        name = random.choice(list(learner.answers))
        learner.answers[name] = learner.answers[name].replace("@fill\n", "", 1)


def _answer(learner: Learner, exercise: str, function: Callable[..., Any] | str) -> None:
    """Fill an exercise with a cell, or with a function of tools/answers and what it calls."""
    if isinstance(function, str):
        learner.answers[exercise] = function
        return
    learner.answers[exercise] = answer(exercise, function)
    for source in _needs(function):
        cell = OwnCell("imports", "code", source)
        if cell not in learner.own:
            learner.own.append(cell)


def _add_own_cells(learner: Learner, random: Random) -> None:
    for chance, cell in (
        (0.4, OwnCell("check_lstm_cell", "code", TRIED)),
        (0.3, OwnCell("lstm_layer", "code", LOOKED)),
        (0.1, OwnCell("check_lstm_layer", "code", PLOTTED, figure=True)),
        (0.05, OwnCell("check_pack_gates", "code", MISSPELT)),
        (0.3, OwnCell("check_lstm_cell", "markdown", THOUGHTS)),
    ):
        if random.random() < chance:
            learner.own.append(cell)


@cache
def _right_answers(exercise: str) -> list[Callable[..., Any] | str]:
    return [solutions()[exercise], *(r.function for r in right(ASSIGNMENT, exercise))]


@cache
def _wrong_answers(exercise: str) -> list[Callable[..., Any] | str]:
    """Known mistakes; the wrong orders of the gates, which one function makes, count as two."""
    functions = [k.function for k in known(ASSIGNMENT, exercise)]
    orders = ("ifog", "figo") if exercise == "lstm_cell" else ()
    return [f for f in functions if not f.__closure__] + [GATES.format(*o) for o in orders]


def _broken(source: str, random: Random) -> str:
    """An answer that does not run: a slip of the pen."""
    slips = [("):\n", ")\n"), ("return ", "retrun "), ("torch.", "troch."), (".T", "")]
    before, after = random.choice([slip for slip in slips if slip[0] in source])
    return source.replace(before, after, 1)


@cache
def _needs(function: Callable[..., Any]) -> tuple[str, ...]:
    """The sources of cells that must come before a function of tools/answers."""
    used = _names(function.__code__)
    sources = ["import torch.nn.functional as F"] if "F" in used else []
    for name in HELPERS:
        if name in used:
            helper = getattr(answers_of_others, name)
            sources += [*_needs(helper), _without_annotations(helper)]
    return tuple(sources)


def _names(code: CodeType) -> set[str]:
    inner = [_names(c) for c in code.co_consts if isinstance(c, CodeType)]
    return set(code.co_names).union(*inner)


def _without_annotations(function: Callable[..., Any]) -> str:
    tree = ast.parse(inspect.getsource(function))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns, node.decorator_list = None, []
        elif isinstance(node, ast.arg):
            node.annotation = None
    return ast.unparse(tree)


def _cell(own: OwnCell, id: str, outputs: bool) -> dict[str, Any]:
    cell = {"cell_type": own.cell_type, "id": id, "metadata": {}, "source": own.source.strip()}
    if own.cell_type == "markdown":
        return cell
    return cell | {
        "execution_count": None,
        "outputs": [_figure()] if outputs and own.figure else [],
    }


def _printed(check: str) -> dict[str, Any]:
    text = "".join(f"{check}: stage {number}: passed\n" for number in range(12))
    return {"output_type": "stream", "name": "stdout", "text": text}


@cache
def _figure() -> dict[str, Any]:
    figure, axes = plt.subplots()
    axes.plot(range(50), [x**2 for x in range(50)])
    file = io.BytesIO()
    figure.savefig(file, format="png")
    plt.close(figure)
    data = {"image/png": base64.b64encode(file.getvalue()).decode()}
    return {"output_type": "display_data", "data": data, "metadata": {}}
