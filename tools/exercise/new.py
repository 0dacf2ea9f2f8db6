"""Makes an exercise in a checkout: stub, plan, cells with hints, a mistake, a style and a test."""

from __future__ import annotations

import json
import keyword
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from book._ext.addresses import read_addresses

from . import templates
from .install_cells import INSTALL

IMPORTED = {"check", "demo", "fill"}
"""What a notebook needs of the package."""


class AuthorError(Exception):
    """The exercise cannot be made. The message says why."""


@dataclass(frozen=True)
class New:
    """An exercise that is to be made.

    Attributes:
        root: the checkout.
        points: what it is worth.
    """

    root: Path
    name: str
    chapter: str
    points: int

    def make(self) -> list[Path]:
        """Write all its parts.

        Returns:
            The files that were written or made longer.

        Raises:
            AuthorError: it cannot be made; then nothing is written.
        """
        texts = self.texts()
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        tidy([path for path in texts if path.suffix == ".py"])
        return list(texts)

    def texts(self) -> dict[Path, str]:
        """The new text of each file.

        Raises:
            AuthorError: the exercise cannot be made.
        """
        self._refuse()
        chapter, answers = self.chapter, self.root / "tools" / "answers"
        by_hand = self.root / "tests" / "checks" / f"test_{chapter}_by_hand.py"
        stubs = self.root / "rnncourse" / f"{chapter}.py"
        texts = {
            stubs: self._longer(stubs, templates.MODULE_OF_STUBS, templates.STUB),
            **self._plan(),
            **self._notebook(),
            answers / f"{chapter}.toml": self._longer(
                answers / f"{chapter}.toml", templates.MISTAKES, templates.MISTAKE
            ),
            answers / f"{chapter}.py": self._longer(
                answers / f"{chapter}.py", templates.STYLES, templates.STYLE
            ),
            by_hand: self._with_imports(
                self._longer(by_hand, templates.TESTS_BY_HAND, templates.BY_HAND),
                "import torch\n\nfrom tools.answers import solution\n",
            ),
        }
        return texts | self._contents()

    @property
    def notebook(self) -> Path:
        """The chapter's notebook with solutions."""
        return self.root / "solutions" / self.chapter / f"{self.chapter}.ipynb"

    def _refuse(self) -> None:
        if not all((self.root / room).is_dir() for room in ("rnncourse", "solutions")):
            raise AuthorError(f"{self.root} is no checkout of the course.")
        for what, name in (("an exercise", self.name), ("a chapter", self.chapter)):
            plain = re.fullmatch(r"[a-z][a-z0-9_]*", name) and not keyword.iskeyword(name)
            if not plain:
                raise AuthorError(f"{name!r} cannot be the name of {what}: use a_name_like_this.")
        stubs = self.root / "rnncourse"
        if (stubs / self.chapter).is_dir() or (
            (stubs / f"{self.chapter}.py").exists() and not self.notebook.exists()
        ):
            raise AuthorError(f"{self.chapter} is a module of the package, and no chapter.")
        defined = re.compile(rf"^def {self.name}\(", re.MULTILINE)
        for path in sorted(stubs.glob("[!_]*.py")):
            if defined.search(path.read_text(encoding="utf-8")):
                raise AuthorError(f"there is a {self.name} in {path.relative_to(self.root)}.")
        if self.points < 1:
            raise AuthorError(f"an exercise is worth at least one point, not {self.points}.")

    def _longer(self, path: Path, beginning: str, addition: str) -> str:
        """A file with a text at its end, begun where it is not there yet."""
        before = path.read_text(encoding="utf-8") if path.exists() else self._filled(beginning)
        return before.rstrip("\n") + "\n" + self._filled(addition)

    def _filled(self, template: str, **others: str) -> str:
        names = {"name": self.name, "chapter": self.chapter, "points": str(self.points), **others}
        return re.sub(r"\{(\w+)\}", lambda m: names.get(m[1], m[0]), template)

    def _plan(self) -> dict[Path, str]:
        """The plan, in the chapter's module; or in one of its own where plans are a package."""
        plans = self.root / "rnncourse" / "checks" / "plans"
        package = plans / self.chapter
        path = package / f"{self.name}.py" if package.is_dir() else plans / f"{self.chapter}.py"
        dots = "..." if package.is_dir() else ".."
        imports = self._filled(templates.PLAN_IMPORTS, up=dots + ".", dots=dots)
        of = (
            f"`{self.name}`" if package.is_dir() else f"the exercises of `rnncourse.{self.chapter}`"
        )
        is_are = "is" if package.is_dir() else "are"
        beginning = self._filled(templates.MODULE_OF_PLANS, of=of, is_are=is_are, imports=imports)
        found = {path: self._with_imports(self._longer(path, beginning, templates.PLAN), imports)}
        if package.is_dir():
            init = (package / "__init__.py").read_text(encoding="utf-8")
            init = init.replace('"""\n\n', f'"""\n\nfrom .{self.name} import {self.name}\n', 1)
            found[package / "__init__.py"] = init.replace(
                "__all__ = [", f'__all__ = [\n    "{self.name}",', 1
            )
        return found

    def _with_imports(self, text: str, imports: str) -> str:
        """A module with more imports; what is there twice, `tidy` takes out."""
        future = "from __future__ import annotations\n"
        before, found, after = text.partition(future)
        if not found or all(line in text for line in imports.splitlines()):
            return text
        return f"{before}{future}\n{imports}{after}"

    def _notebook(self) -> dict[Path, str]:
        """The notebook with the exercise's cells behind those of the last exercise."""
        if self.notebook.exists():
            content = json.loads(self.notebook.read_text(encoding="utf-8"))
        else:
            install = read_addresses(self.root).install_cell()
            title = self._filled(templates.TITLE)
            content = _empty_notebook(title, install, templates.END)
        cells = content["cells"]
        checks = [k for k, cell in enumerate(cells) if _id(cell).startswith("check_")]
        demos = [k for k, cell in enumerate(cells) if _id(cell).startswith("demo_")]
        place = checks[-1] + 1 if checks else len(cells) - 1
        place = next((k + 1 for k in demos if k >= place), place) if checks else place
        cells[place:place] = self._cells(len(checks) + 1)
        _add_points(cells[0], self.points)
        return {self.notebook: json.dumps(content, indent=1, ensure_ascii=False) + "\n"}

    def _cells(self, number: int) -> list[dict[str, Any]]:
        name = self.name
        return [
            _markdown(f"{name}-text", self._filled(templates.TEXT, number=str(number))),
            _code(name, self._filled(templates.SOLUTION), solution=True),
            _code(f"check_{name}", self._filled(templates.CHECK), locked=True, points=self.points),
            _markdown(f"{name}-demo-text", templates.DEMO_TEXT),
            _code(f"demo_{name}", self._filled(templates.DEMO), locked=True),
        ]

    def _contents(self) -> dict[Path, str]:
        """The list of chapters and the book's contents, where the chapter is new."""
        if self.notebook.exists():
            return {}
        code, toc = self.root / "rnncourse" / "_exercise.py", self.root / "_toc.yml"
        text, listed = code.read_text(encoding="utf-8"), toc.read_text(encoding="utf-8")
        chapters = re.compile(r"(^CHAPTERS = \((?:\n    \"\w+\",)+)", re.MULTILINE)
        last = re.compile(r"(.*^      - file: exercises/\S+\n(?:        [^\n]*\n)*)", re.M | re.S)
        return {
            code: chapters.sub(rf'\1\n    "{self.chapter}",', text, count=1),
            toc: last.sub(rf"\1{self._filled(templates.CONTENTS)}", listed, count=1),
        }


def tidy(paths: list[Path]) -> None:
    """Sort the imports of modules and format them."""
    ruff = [sys.executable, "-m", "ruff"]
    names = [str(path) for path in paths]
    for options in (
        ["check", "--quiet", "--fix", "--select", "I,F811,F401"],
        ["format", "--quiet"],
    ):
        subprocess.run([*ruff, *options, *names], check=False, capture_output=True)


def _empty_notebook(title: str, install: str, end: str) -> dict[str, Any]:
    imports = f"import torch\n\nfrom rnncourse import {', '.join(sorted(IMPORTED))}"
    return {
        "cells": [
            _markdown("title", title),
            _code(INSTALL, install, locked=True),
            _code("imports", imports, locked=True),
            _markdown("goodbye", end),
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _id(cell: dict[str, Any]) -> str:
    found: str = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
    return found


def _markdown(id: str, text: str) -> dict[str, Any]:
    return {
        "cell_type": "markdown",
        "id": id.replace("_", "-"),
        "metadata": {},
        "source": text.splitlines(keepends=True),
    }


def _code(
    id: str, text: str, solution: bool = False, locked: bool = False, points: int | None = None
) -> dict[str, Any]:
    """A code cell as nbgrader knows it."""
    worth = {} if points is None else {"points": points}
    nbgrader = {
        "grade": points is not None,
        "grade_id": id,
        "locked": locked,
        **worth,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": id.replace("_", "-"),
        "metadata": {"nbgrader": nbgrader},
        "outputs": [],
        "source": text.splitlines(keepends=True),
    }


def _add_points(cell: dict[str, Any], points: int) -> None:
    """Make the total that a notebook's first cell names larger."""
    text = "".join(cell["source"])
    text = re.sub(r"\*\*(\d+) points", lambda m: f"**{int(m[1]) + points} points", text, count=1)
    cell["source"] = text.splitlines(keepends=True)
