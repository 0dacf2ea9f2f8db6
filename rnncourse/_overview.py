"""What there is to do and how far it is, as a table in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ._exercise import exercises as _all
from ._limits import EXERCISE_SECONDS
from .checks import examine_within
from .checks.display import status

NOT_HERE = "not filled in"
"""The state of an exercise for which this notebook has no function."""


@dataclass(frozen=True, repr=False)
class Overview:
    """A table, which a notebook shows as HTML and a terminal as text.

    Attributes:
        header: the titles of the columns.
        rows: as long as the header.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (self.header, *self.rows)
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(title)}</th>" for title in self.header)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def exercises() -> Overview:
    """The exercises of the course in their order, with what each is about.

    Example:
        >>> exercises().rows[1]
        ('shapes', 'parameter_count', 'The number of parameters of torch.nn.RNN, GRU or LSTM.')
    """
    rows = [
        (entry.chapter, entry.name, (entry.body.__doc__ or "").strip().split("\n")[0])
        for entry in _all().values()
    ]
    return Overview(("notebook", "exercise", "what it is"), tuple(rows))


def progress() -> Overview:
    """How many public checks each exercise passes that is filled in here.

    An exercise is stopped after 10 seconds, on Linux and macOS.

    Example:
        >>> from rnncourse import fill
        >>> @fill
        ... def embed(ids, weight):
        ...     return weight[ids]
        >>> [row for row in progress().rows if row[1] in ("one_hot", "embed")]
        [('embedding', 'one_hot', '', 'not filled in'), ('embedding', 'embed', '8 of 8', 'done')]
    """
    rows = []
    for entry in _all().values():
        if entry.filled is None:
            rows.append((entry.chapter, entry.name, "", NOT_HERE))
            continue
        report = examine_within(EXERCISE_SECONDS, entry)
        checks = f"{report.passed} of {len(report.stages)}"
        rows.append((entry.chapter, entry.name, checks, status(report)))
    return Overview(("notebook", "exercise", "public checks", "state"), tuple(rows))
