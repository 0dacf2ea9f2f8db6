"""Why a name is not defined: the cell that should have defined it ended with an error.

Names are only looked up in what the learner wrote, word by word: the grader lets no parser of
Python read a learner's code outside the sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from ._notebook import Cell

LEFT_OUT = "this cell is left out"
"""How the error of a cell begins that does not run any more."""
MAX_QUOTED = 40
MAX_LENGTH = 1000
"""Characters of a sentence that tells of one error after the other."""
_NAME_ERROR = re.compile(r"NameError: name '(\w+)' is not defined")
_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*")
_CONTINUED = re.compile(r"[\w, ]+\)?")
"""A line of an import that goes over several."""


class Failures:
    """The cells of a notebook that ended with an error.

    Attributes:
        errors: by the cells' places; where a name was not defined, with the reason.
    """

    def __init__(self, cells: Sequence[Cell], errors: Mapping[int, str]) -> None:
        """
        Args:
            errors: by the cells' places, "" where nothing went wrong.
        """
        self._cells = cells
        self._first: dict[str, int] = {}
        self.errors: dict[int, str] = {}
        for place, error in sorted(errors.items()):
            if error:
                self.errors[place] = self.explained(error)
                for name in _defined(cells[place].source):
                    self._first.setdefault(name, place)

    def why_undefined(self, name: str) -> str:
        """A sentence on a name that one of these cells should have defined; "" if none should."""
        if name not in self._first:
            return ""
        place = self._first[name]
        cell, error = label(self._cells[place]), self.errors[place]
        if error.startswith(LEFT_OUT):
            said = f"{cell} is left out{error.removeprefix(LEFT_OUT)}"
        else:
            said = f"{cell} ended with {error}"
        return f"{name} is not defined: {said}"[:MAX_LENGTH]

    def error_of(self, exercise: str) -> str:
        """The error of the cell that should have defined an exercise's function, if it had one."""
        own = (n for n, cell in enumerate(self._cells) if exercise in cell.exercises)
        return next((self.errors[n] for n in own if n in self.errors), "")

    def why(self, error: str) -> str:
        """If an error says that a name is not defined, a sentence on why it is not, else ""."""
        match = _NAME_ERROR.search(error)
        return self.why_undefined(match[1]) if match else ""

    def explained(self, error: str) -> str:
        """An error; and why a name that the cell needed was not there."""
        why = self.why(error)
        return f"{error} ({why})"[:MAX_LENGTH] if why else error


def _defined(source: str) -> Iterator[str]:
    """The names that a cell would give something, were it run to its end."""
    for line in source.split("\n"):
        words = _WORD.findall(line)
        head, sign, rest = line.strip().partition("=")
        if words[:1] in (["from"], ["import"]) or _CONTINUED.fullmatch(line.strip()):
            yield from words
        elif sign and not rest.startswith("=") and "(" not in head.lstrip("("):
            yield from _WORD.findall(head)
        yield from (word for before, word in pairwise(words) if before in _BEFORE_A_NAME)


_BEFORE_A_NAME = frozenset(("def", "class", "as", "for"))


def label(cell: Cell) -> str:
    """A cell in a sentence: by its id, or by its first line."""
    if cell.grade_id:
        return f"the cell {cell.grade_id}"
    first = next((line.strip() for line in cell.source.split("\n") if line.strip()), "")
    return f"the cell “{first if len(first) <= MAX_QUOTED else first[:MAX_QUOTED] + '…'}”"
