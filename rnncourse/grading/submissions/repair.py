"""A learner's notebook, put in order by the instructor's.

The course's own cells come from the instructor's notebook; the learner's answers and the cells that
the learner has added stand between them, in the learner's order. Whatever has to be mended for that
is said. A learner's code is only searched here, never parsed or run.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import count
from typing import Any

from ..._notebook import Cell
from ..sanitize.markdown import MAX_SHOWN, as_code, harmless, shortened
from .faults import sentences
from .reader import Notebook, SubmittedCell
from .recognise import CellMatch, added, is_unchanged, without_given
from .source import Source, SourceCell

_MAX_SHOWN = 100_000
"""Characters of the learner's in a whole notebook that are shown."""

_FRAME = ("metadata", "nbformat", "nbformat_minor")


@dataclass(frozen=True)
class Repaired:
    """A notebook in order.

    Attributes:
        cells: the code cells that are run, in order.
        notebook: the whole notebook without outputs, of nbformat 4.
        said: what was mended, a sentence each.
    """

    cells: tuple[Cell, ...]
    notebook: dict[str, Any]
    said: tuple[str, ...]


def repair(notebook: Notebook, source: Source) -> Repaired:
    """Put a learner's notebook in order. It never fails: what is not there stays unfilled."""
    recognised = CellMatch(notebook.pieces, source)
    entries = _Assembly(recognised, source).entries()
    cells = [*(_given_run(known) for known in source.opening), *(e.run for e in entries if e.run)]
    frame = {key: deepcopy(source.released[key]) for key in _FRAME}
    whole = frame | {"cells": _numbered([entry.cell for entry in entries], source)}
    return Repaired(tuple(cells), whole, sentences(notebook, recognised, source))


@dataclass(frozen=True)
class _Entry:
    """One cell of the notebook in the making.

    Attributes:
        known: the instructor's cell that it is; None for one of the learner's own.
        run: what of it is run.
    """

    cell: dict[str, Any]
    known: SourceCell | None = None
    run: Cell | None = None


class _Assembly:
    """Puts the instructor's and the learner's cells together."""

    def __init__(self, recognised: CellMatch, source: Source) -> None:
        self._recognised = recognised
        self._source = source
        self._answers = {stub.grade_id: recognised.answers(stub) for stub in source.stubs.values()}
        self._placed: set[str] = set()
        self._room = _MAX_SHOWN

    def entries(self) -> list[_Entry]:
        found = [e for n in range(len(self._recognised.pieces)) for e in self._entries(n)]
        return self._with_missing(found)

    def _entries(self, number: int) -> Iterator[_Entry]:
        piece, known = self._recognised.pieces[number], self._recognised.known[number]
        if known is None:
            yield self._own(piece)
        elif known.kind == "answer" and known.is_code:
            yield from self._answer(number, piece, known)
        elif known.kind == "answer":
            yield self._written(piece, known)
        else:
            if known.grade_id not in self._placed:
                yield self._given(known)
            yield from (self._own(p) for p in added(piece, known))

    def _answer(self, number: int, piece: SubmittedCell, known: SourceCell) -> Iterator[_Entry]:
        """An exercise's cell stands where its last answer is; earlier ones run, too."""
        answers = self._answers[known.grade_id]
        own = [n for n in answers if self._recognised.known[n] is known]
        exercises = tuple(self._recognised.defined[number]) or (known.grade_id,)
        if number not in answers:
            if not is_unchanged(piece, known):
                yield self._own(piece)
            return
        text = without_given(piece.text, self._recognised.claims[number])
        if number == own[-1]:
            self._placed.add(known.grade_id)
            yield _Entry(
                _filled(known, self._shown(text)), known, Cell(known.grade_id, text, exercises)
            )
        else:
            yield _Entry(_code(self._shown(text)), run=Cell("", text, exercises))

    def _written(self, piece: SubmittedCell, known: SourceCell) -> _Entry:
        """An answer in words."""
        if known.grade_id in self._placed:
            return self._own(piece)
        self._placed.add(known.grade_id)
        return _Entry(_filled(known, harmless(self._shown(piece.text))), known)

    def _given(self, known: SourceCell) -> _Entry:
        """One of the course's own cells; those of the opening run before all others."""
        self._placed.add(known.grade_id)
        runs = known.kind == "setup" and known not in self._source.opening
        return _Entry(deepcopy(dict(known.cell)), known, _given_run(known) if runs else None)

    def _own(self, piece: SubmittedCell) -> _Entry:
        if piece.kind == "code":
            return _Entry(_code(self._shown(piece.text)), run=Cell("", piece.text))
        if piece.kind == "raw":
            return _Entry(_markdown(as_code(self._shown(piece.text))))
        if (given := self._source.texts.get(piece.text)) and piece.text not in self._placed:
            self._placed.add(piece.text)
            return _Entry(deepcopy(given))
        return _Entry(_markdown(harmless(self._shown(piece.text))))

    def _shown(self, text: str) -> str:
        """As much of a learner's text as can be shown."""
        text = shortened(text, min(MAX_SHOWN, self._room))
        self._room = max(0, self._room - len(text))
        return text

    def _with_missing(self, entries: list[_Entry]) -> list[_Entry]:
        """Put what is missing behind the cell that it follows in the instructor's notebook."""
        whole = list(entries)
        place = 0
        for known in self._source.known.values():
            if known.grade_id not in self._placed:
                whole.insert(place, self._given(known))
            place = next(n for n, e in enumerate(whole) if e.known is known) + 1
        return whole


def _numbered(cells: list[dict[str, Any]], source: Source) -> list[dict[str, Any]]:
    """Give the learner's own cells ids, if this is a notebook whose cells have ids."""
    if (source.released["nbformat"], source.released["nbformat_minor"]) < (4, 5):
        return cells
    taken = {cell["id"] for cell in source.released["cells"]}
    free = (name for n in count(1) if (name := f"own-{n}") not in taken)
    return [cell if "id" in cell else {"id": next(free)} | cell for cell in cells]


def _given_run(known: SourceCell) -> Cell:
    return Cell(known.grade_id, known.text)


def _filled(known: SourceCell, text: str) -> dict[str, Any]:
    return deepcopy(dict(known.cell)) | {"source": text}


def _code(text: str) -> dict[str, Any]:
    cell = {"cell_type": "code", "metadata": {}, "source": text}
    return cell | {"outputs": [], "execution_count": None}


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}
