"""What an attack is: a learner, a notebook, and what of it is honest and earns marks."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from rnncourse._notebook import grade_id
from tools.demonstration.learners import ASSIGNMENT, filled, solutions

Notebook = dict[str, Any]

WORTH = {
    "lstm_cell": 6.0,
    "lstm_layer": 4.0,
    "pack_gates": 4.0,
    "unpack_gates": 4.0,
    "set_forget_bias": 2.0,
}
HONEST_PART = {"set_forget_bias": 2.0}
"""What most attackers do themselves, so that it can be seen that the rest of theirs is graded."""

WRONG = """
@fill
def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return x, x
"""
"""Earns nothing: the shapes are wrong."""

NOTHING = """
@fill
def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return h, c
"""
"""Earns the tenth of the points that is for shapes."""


@dataclass(frozen=True)
class Place:
    """What an attacker may know of where grading happens.

    Attributes:
        course: the course folder.
        home: the instructor's home.
        port: of this machine, where somebody listens.
    """

    course: Path
    home: Path
    port: int

    def told(self) -> str:
        """A cell with what all attackers use; by itself it is no reason for a person to look. They
        look for secrets by how these begin, and say "loot" when they have found or reached
        something that they should not."""
        nice = os.getpriority(os.PRIO_PROCESS, 0)  # which the grader has from here
        return PRELUDE.format(
            course=str(self.course), home=str(self.home), port=self.port, nice=nice
        )


PRELUDE = """
import glob, os, signal, struct, subprocess, sys, threading, time
import torch
from rnncourse import fill

COURSE, HOME, PORT, NICE = {course!r}, {home!r}, {port}, {nice}
TOKEN = "squi" "rrel-"

def loot(*found):
    print("lo" "ot:", *found)

def read(path):
    with open(path, "rb") as file:
        return file.read(1_000_000)

def attempt(function, *arguments):
    try:
        return function(*arguments)
    except BaseException:
        return None

def hunt(function, *arguments):
    found = attempt(function, *arguments)
    if found is not None and TOKEN.encode() in bytes(found):
        loot(getattr(function, "__name__", "?"), arguments, bytes(found))

def leave(path):
    try:
        with open(path, "a") as file:
            file.write("pwned")
    except BaseException:
        pass
"""

KERNEL = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
"""
"""For those who call the system past Python. A person is called to look at such a notebook, which
is no protection: so others do without."""

LOOT = "loot:"
END = 'print("loo" "ked")'
"""The last line of whoever looks for something: that it was reached is part of the test."""
LOOKED = "looked"


@dataclass(frozen=True)
class Attack:
    """One learner who does not play fair.

    Attributes:
        name: the learner's.
        cells: code cells before the answers.
        answers: in place of the empty ones; beside them the honest part, if it is paid.
        deserves: the marks of what is honest in it, by exercise.
        change: done to the notebook at last; gives what is written.
        beside: writes more files into the folder that is handed in.
        looks: whether its cells look for something and say so at the end.
        copied: exercises whose right numbers it takes from torch: only a person can tell.
    """

    name: str
    cells: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=lambda: {"lstm_cell": WRONG})
    deserves: Mapping[str, float] = field(default_factory=lambda: HONEST_PART)
    change: Callable[[Notebook], Any] | None = None
    beside: Callable[[Path, Place], None] | None = None
    looks: bool = False
    copied: tuple[str, ...] = ()

    def hand_in(self, place: Place) -> None:
        """Write the submission."""
        folder = place.course / "submitted" / self.name / ASSIGNMENT
        folder.mkdir(parents=True, exist_ok=True)
        written: Any = self.notebook(place)
        if self.change:
            changed = self.change(written)
            written = written if changed is None else changed
        path = folder / f"{ASSIGNMENT}.ipynb"
        if isinstance(written, bytes):
            path.write_bytes(written)
        else:
            path.write_text(written if isinstance(written, str) else json.dumps(written), "utf-8")
        if self.beside:
            self.beside(folder, place)

    def notebook(self, place: Place) -> Notebook:
        honest = {k: v for k, v in solutions_by_exercise().items() if k in self.deserves}
        whole = notebook(honest | dict(self.answers))
        last = "\n".join([*self.cells[-1:], *([END] if self.looks else [])])
        added = [place.told(), *self.cells[:-1], last]
        first = [grade_id(cell) for cell in whole["cells"]].index("imports") + 1
        whole["cells"][first:first] = [code(text) for text in added] if self.cells else []
        return whole


def notebook(answers: Mapping[str, str]) -> Notebook:
    """The released notebook with answers filled in."""
    content: Notebook = json.loads(filled(dict(answers)))
    return content


@cache
def solutions_by_exercise() -> dict[str, str]:
    return solutions()


def honest() -> Notebook:
    """All right."""
    return notebook(solutions_by_exercise())


def code(text: str) -> dict[str, Any]:
    """A code cell of the learner's own."""
    return {
        "cell_type": "code",
        "metadata": {},
        "source": text.strip(),
        "outputs": [],
        "execution_count": None,
    }


def markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def cell(content: Notebook, name: str) -> dict[str, Any]:
    """A cell by its nbgrader id."""
    found: dict[str, Any] = next(c for c in content["cells"] if grade_id(c) == name)
    return found
