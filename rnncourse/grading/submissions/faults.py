"""What was wrong with a learner's notebook, in sentences for the learner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from .reader import Notebook, SubmittedCell
from .recognise import CellMatch, added, is_unchanged
from .source import Source, SourceCell

_SENTENCES = {
    "language": "The notebook was set to the language {}; it was run as Python.",
    "ids": "The notebook had lost what nbgrader notes in its cells; they were recognised by what "
    "they hold.",
    "lost": "These cells had lost their ids and were recognised by what they hold: {}.",
    "misplaced": "These exercises stood in a cell with another id, and were found there: {}.",
    "text": "These cells of code had become text, and were run as code: {}.",
    "twice": "These exercises are answered in more than one cell; all were run in order, and the "
    "last one counts: {}.",
    "elsewhere": "These exercises are answered in other cells; their empty cells were not run: {}.",
    "gone": "The cells of these exercises are gone, so they are not filled in: {}.",
    "inside": "What was written into these given cells was run as code of your own: {}.",
    "changed": "These given cells were changed; the course's own stand in their place: {}.",
    "copies": "These given cells were there more than once; one was kept: {}.",
    "missing": "These given cells were missing; they were put back: {}.",
    "settings": "The points or locks of these cells were changed; the course's own count: {}.",
    "order": "The cells are not in the course's order; they were run in yours.",
}
"""What can be wrong, in the order in which it is said."""

_FLAGS = ("grade", "locked", "solution", "task", "points")


def sentences(notebook: Notebook, recognised: CellMatch, source: Source) -> tuple[str, ...]:
    """What was wrong; nothing for a notebook that was filled in as it should be, whatever program
    has saved it."""
    found: dict[str, list[str]] = defaultdict(list)
    for what, cell in _faults(notebook, recognised, source):
        if cell not in found[what]:
            found[what].append(cell)
    if "ids" in found:
        found.pop("lost", None)
    return tuple(
        sentence.format(", ".join(found[what]))
        for what, sentence in _SENTENCES.items()
        if what in found
    )


def _faults(notebook: Notebook, recognised: CellMatch, source: Source) -> Iterator[tuple[str, str]]:
    """What was wrong, and with which cell."""
    if notebook.language and "python" not in notebook.language:
        yield "language", notebook.language
    if any(recognised.known) and not any(piece.grade_id for piece in notebook.pieces):
        yield "ids", ""
    for number, known in enumerate(recognised.known):
        if known:
            yield from _faults_of(number, known, recognised)
    for known in source.known.values():
        yield from ((what, known.grade_id) for what in _faults_with(known, recognised))
    if _is_reordered(recognised, source):
        yield "order", ""


def _faults_of(number: int, known: SourceCell, recognised: CellMatch) -> Iterator[tuple[str, str]]:
    """What is wrong with one cell that was recognised."""
    piece, claim = recognised.pieces[number], recognised.claims[number]
    name = known.grade_id
    if claim is known and _has_other_flags(piece, known):
        yield "settings", name
    if claim is None and recognised.are_lost(known) and _matters(known) and not piece.grade_id:
        yield "lost", name
    if known.kind == "answer":
        if known.is_code and piece.kind != "code":
            yield "text", name
        if claim and claim.kind != "answer":
            yield "inside", claim.grade_id
        elif piece.grade_id not in ("", name):
            yield "misplaced", name
    elif added(piece, known):
        yield "inside", name
    elif not is_unchanged(piece, known) and _matters(known):
        yield "changed", name


def _faults_with(known: SourceCell, recognised: CellMatch) -> Iterator[str]:
    """What is wrong with all that stands for one of the instructor's cells."""
    own = [n for n, found in enumerate(recognised.known) if found is known]
    if known.kind == "answer" and known.is_code:
        answers = recognised.answers(known)
        filled = [n for n in answers if not is_unchanged(recognised.pieces[n], known)]
        if len(filled) > 1:
            yield "twice"
        if filled and any(is_unchanged(recognised.pieces[n], known) for n in own):
            yield "elsewhere"
        if not answers:
            yield "gone"
    elif _matters(known) and len(own) > 1:
        yield "copies"
    elif _matters(known) and not own and recognised.are_lost(known):
        yield "missing"


def _matters(known: SourceCell) -> bool:
    """Whether a cell runs or is a check. Demonstrations may be changed and moved, and are missed
    by nobody."""
    return known.is_check or known.kind != "shown"


def _is_reordered(recognised: CellMatch, source: Source) -> bool:
    """Whether what matters stands in another order than the instructor's."""
    order = {grade_id: n for n, grade_id in enumerate(source.known)}
    met = (known.grade_id for known in recognised.known if known and _matters(known))
    places = [order[grade_id] for grade_id in dict.fromkeys(met)]
    return places != sorted(places)


def _has_other_flags(piece: SubmittedCell, known: SourceCell) -> bool:
    """Whether nbgrader's notes in a cell say something else; what is not there says nothing."""
    there = (flag for flag in _FLAGS if flag in piece.settings and flag in known.settings)
    return any(piece.settings[flag] != known.settings[flag] for flag in there)
