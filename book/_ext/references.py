"""What lessons cite, read from the bibliography for notebooks: names, year, address, one line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pybtex.backends.markdown import Backend
from pybtex.database import Entry, parse_file
from pybtex.richtext import Text
from pybtex.style.formatting.plain import Style


@dataclass(frozen=True)
class Work:
    """A cited work.

    Attributes:
        names: of its authors, as a sentence has them: "Cho et al.".
        year: of its publication.
        address: of its page; "" if the bibliography has none.
        text: the whole reference in Markdown.
    """

    names: str
    year: str
    address: str
    text: str


def read_works(paths: Iterable[Path]) -> dict[str, Work]:
    """The works of bibliography files, by key."""
    return {key: work for path in paths for key, work in _works(path)}


def _works(path: Path) -> list[tuple[str, Work]]:
    entries = parse_file(str(path), "bibtex").entries
    lines = Style().format_entries(entries.values())
    backend = Backend("utf-8")
    return [(line.key, _work(entries[line.key], line.text.render(backend))) for line in lines]


def _work(entry: Entry, text: str) -> Work:
    doi, url = entry.fields.get("doi"), entry.fields.get("url")
    address = f"https://doi.org/{doi}" if doi else url or ""
    # The backend escapes more than a line of text needs.
    line = re.sub(r"\\([.()-])", r"\1", " ".join(text.split()))
    return Work(_names(entry), entry.fields["year"], address, line)


def _names(entry: Entry) -> str:
    people = entry.persons["author"]
    last = [
        Text.from_latex(" ".join(one.prelast_names + one.last_names)).render_as("text")
        for one in people
    ]
    if len(last) > 2:
        return f"{last[0]} et al."
    return " and ".join(last)
