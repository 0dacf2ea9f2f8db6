"""Which of the instructor's cells each cell of a learner's notebook is.

Ids are believed as far as they fit: a cell that defines an exercise's function answers that
exercise, whatever its id says. A cell without an id is recognised by what it holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import nbformat
from nbgrader.utils import compute_checksum

from .reader import SubmittedCell
from .source import Source, SourceCell, definitions, functions, normalised


class CellMatch:
    """A learner's cells beside the instructor's.

    Attributes:
        pieces: the learner's cells.
        claims: for each of them the cell that it claims to be by its id.
        known: for each of them the cell that it is; None for one of the learner's own.
    """

    def __init__(self, pieces: Sequence[SubmittedCell], source: Source) -> None:
        self.pieces = pieces
        self._source = source
        self._in_code = {
            name
            for piece in pieces
            if piece.kind == "code"
            for name in functions(piece.text) & source.stubs.keys()
            if not is_unchanged(piece, source.stubs[name])
        }
        self.claims = self._claims()
        self._claimed = {known.grade_id for known in self.claims if known}
        self._by_text = {
            text: known
            for known in source.known.values()
            if known.kind != "answer" and known.grade_id not in self._claimed
            for text in known.originals - {""}
        }
        self.defined = [self._defined(n) for n in range(len(pieces))]
        self.known = [self._recognised(n) for n in range(len(pieces))]

    def are_lost(self, known: SourceCell) -> bool:
        """Whether no cell claims to be this one."""
        return known.grade_id not in self._claimed

    def answers(self, stub: SourceCell) -> list[int]:
        """The cells that answer an exercise, by their numbers: those that define its function;
        else what was written in its place; else the empty cell."""
        own = [n for n, known in enumerate(self.known) if known is stub]
        filled = [n for n in own if not is_unchanged(self.pieces[n], stub)]
        defining = [n for n in filled if stub.grade_id in self.defined[n]]
        others = [
            n
            for n, names in enumerate(self.defined)
            if stub.grade_id in names and self.known[n] is not stub
        ]
        return sorted(defining + others) or filled or own

    def _claims(self) -> list[SourceCell | None]:
        known = self._source.known
        by_id = {k.cell["id"]: k for k in known.values() if "id" in k.cell}
        by_name = [known.get(piece.grade_id) for piece in self.pieces]
        taken = {k.grade_id for k in by_name if k}
        free = {own_id: k for own_id, k in by_id.items() if k.grade_id not in taken}
        return [k or free.get(piece.own_id) for k, piece in zip(by_name, self.pieces, strict=True)]

    def _defined(self, number: int) -> list[str]:
        """The exercises whose functions a cell defines. Text counts as code only where no code
        defines the function: it may be an old attempt, or notes."""
        piece = self.pieces[number]
        names = functions(piece.text)
        if piece.kind != "code":
            names = frozenset() if "```" in piece.text else names - self._in_code
        return [name for name in self._source.stubs if name in names]

    def _recognised(self, number: int) -> SourceCell | None:
        piece, claim, names = self.pieces[number], self.claims[number], self.defined[number]
        if claim and claim.kind == "answer":
            attempt = not names and piece.kind == "code"
            if claim.grade_id in names or attempt or not claim.is_code:
                return claim
        elif claim and is_unchanged(piece, claim):
            return claim
        if names:
            return self._source.stubs[names[0]]
        if claim and claim.kind != "answer":
            return claim
        return self._by_text.get(normalised(piece.text)) if piece.kind == "code" else None


def is_unchanged(piece: SubmittedCell, known: SourceCell) -> bool:
    """Whether a cell reads as it was given, now or in an earlier release of the notebook."""
    if (piece.kind == "code") != known.is_code:
        return False
    return normalised(piece.text) in known.originals or _is_as_released(piece)


def added(piece: SubmittedCell, known: SourceCell) -> list[SubmittedCell]:
    """What a learner has written into a given cell and has to be run: functions and classes in one
    that only shows something, anything new in one that runs."""
    if piece.kind != "code" or is_unchanged(piece, known):
        return []
    if known.kind == "setup":
        new = set(normalised(piece.text).split("\n")) - set(normalised(known.text).split("\n"))
    else:
        new = definitions(piece.text) - definitions(known.text)
    if not new:
        return []
    return [replace(piece, text=without_given(piece.text, known))]


def without_given(text: str, known: SourceCell | None) -> str:
    """What a learner has written into a given cell, without what was in it."""
    if known is None or known.kind == "answer" or known.text.strip() not in text:
        return text
    return text.replace(known.text.strip(), "", 1).strip()


def _is_as_released(piece: SubmittedCell) -> bool:
    """Whether nbgrader's checksum, made at the release, still fits."""
    checksum = piece.settings.get("checksum")
    if not isinstance(checksum, str) or not piece.grade_id:
        return False
    cell = {
        "cell_type": piece.kind,
        "source": piece.text,
        "metadata": {"nbgrader": piece.settings},
    }
    try:
        found: str = compute_checksum(nbformat.from_dict(cell))
    except (KeyError, ValueError, TypeError):  # points that are none
        return False
    return found == checksum
