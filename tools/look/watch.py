"""Finds the files that were changed, by asking for their times again and again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

EVERY_SECONDS = 0.3
FOLDERS = ("book", "exercises", "rnncourse")
FILES = ("_config.yml", "_toc.yml")
IGNORED = {"__pycache__", ".ipynb_checkpoints", "_build"}
NEW_START = {"_ext", "_config.yml", "_toc.yml"}
"""Names of files and folders that Sphinx reads once, when it starts."""


@dataclass
class Watch:
    """The files of a book, and when each was changed last."""

    root: Path
    times: dict[Path, int] = field(init=False)

    def __post_init__(self) -> None:
        self.times = self._now()

    def wait(self) -> set[Path]:
        """Wait until files change, and until they have been still for a moment; give them."""
        changed: set[Path] = set()
        while True:
            time.sleep(EVERY_SECONDS)
            new = self._now()
            found = {path for path, _ in self.times.items() ^ new.items()}
            self.times = new
            if changed and not found:
                return changed
            changed |= found

    def _now(self) -> dict[Path, int]:
        found = {}
        for path in self._files():
            try:
                found[path] = path.stat().st_mtime_ns
            except FileNotFoundError:  # an editor is replacing it
                continue
        return found

    def _files(self) -> Iterator[Path]:
        yield from (self.root / name for name in FILES)
        for folder in FOLDERS:
            for path in (self.root / folder).rglob("*"):
                if path.is_file() and _is_written_by_people(path):
                    yield path


def needs_new_start(changed: set[Path]) -> bool:
    """Whether Sphinx must start anew to see what changed."""
    return any(NEW_START & set(path.parts) or path.suffix == ".bib" for path in changed)


def _is_written_by_people(path: Path) -> bool:
    hidden = path.name.startswith((".", "#")) or path.name.endswith(("~", ".swp", ".tmp"))
    return not hidden and not IGNORED & set(path.parts)
