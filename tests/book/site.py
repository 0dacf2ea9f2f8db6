"""What the tests of the book read from files: the pages, and what stands in their HTML."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXTENSIONS = ROOT / "book" / "_ext"
TOC = (ROOT / "_toc.yml").read_text(encoding="utf-8")
PAGES = re.findall(r"(?:root|file): (\S+)", TOC)
EXERCISES = [page for page in PAGES if page.startswith("exercises/")]
LESSONS = [page for page in PAGES if page not in EXERCISES]
PATH = re.findall(r"file: (\S+)", TOC.partition("caption: Chapters")[2].partition("caption")[0])
NO_CHAPTER = "exercises/models/models"
"""The exercise whose chapter is not written yet."""
CHAPTERS = [page for page in PATH if page in LESSONS]
CELL = re.compile(
    r"^```\{code-cell\}[^\n]*\n(?P<options>---\n.*?^---\n|)(?P<code>.*?)^```$", re.M | re.S
)


def code_cells(page: str) -> list[tuple[str, bool]]:
    """A lesson's code, and whether its page shows it."""
    text = (ROOT / f"{page}.md").read_text(encoding="utf-8")
    return [(m["code"].strip(), "remove-" not in m["options"]) for m in CELL.finditer(text)]


@dataclass
class Contents(HTMLParser):
    """The ids, links and pictures of an HTML file."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    images: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "img":
            self.images.append(found)
        source = found.get("src") or (found.get("href") if tag == "link" else None)
        if source:
            self.sources.append(source)


@functools.cache
def read(path: Path) -> Contents:
    """What stands in a file of the built site, which does not change any more."""
    contents = Contents()
    contents.feed(path.read_text(encoding="utf-8"))
    return contents
