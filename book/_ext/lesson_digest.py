"""A digest of what a lesson's outputs depend on, beside its own cells.

The execution cache knows a lesson by its cells alone, so it would keep old outputs after the
package, a stored result or torch changed. The digest covers the modules of ``rnncourse`` that the
lesson imports, directly or through others; the stored results, if it reads any; the interpreter
and the libraries. A change of the grader or of the command line changes no digest.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

PACKAGE = "rnncourse"
GRADER = "grading"
STORED = "stored"
LIBRARIES = ("torch", "numpy", "matplotlib", "ipython")


def lesson_digest(root: Path, cells: Iterable[str]) -> str:
    """The digest for a lesson with these code cells.

    Args:
        root: the folder that holds ``rnncourse/`` and ``book/``.
    """
    code = "\n".join(_python(cell) for cell in cells)
    files = module_files(root, code)
    if STORED in code:
        files |= {path for path in (root / "book" / STORED).rglob("*") if _counts(path)}
    versions = [
        f"python {sys.version_info[:2]}",
        *(f"{name} {version(name)}" for name in LIBRARIES),
    ]
    found = hashlib.sha256("\n".join(versions).encode())
    for path in sorted(files):
        found.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def files_state(root: Path) -> tuple[tuple[str, int], ...]:
    """The names and times of the files that digests are made from; while it stays, they stay."""
    folders = (root / PACKAGE, root / "book" / STORED)
    files = (path for folder in folders for path in folder.rglob("*") if _counts(path))
    return tuple(sorted((str(path), path.stat().st_mtime_ns) for path in files))


def module_files(root: Path, code: str) -> set[Path]:
    """The files of the package that code imports, directly or through others."""
    package = root / PACKAGE
    found: set[Path] = set()
    waiting = [*_imported(code, package, None)]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        if path.suffix != ".py":
            continue
        text = path.read_text(encoding="utf-8")
        waiting += _imported(text, package, path)
        if path != package / "__init__.py" and "import_module(" in text:
            waiting += _all_but_grader(package)  # by names that only a run can tell
    return found


def _python(cell: str) -> str:
    """A cell without the lines that only IPython understands."""
    return "\n".join(line for line in cell.splitlines() if not line.lstrip().startswith(("%", "!")))


def _imported(code: str, package: Path, importer: Path | None) -> Iterator[Path]:
    """The package's files that the imports in some code name."""
    for level, name in _imported_names(code):
        yield from _files_of([*_folder(level, package, importer), *name], package)


# A build asks for each module once a lesson, and a process that builds again and again every time.
@functools.cache
def _imported_names(code: str) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """What the imports in some code name: how many folders up, and the dotted name in parts."""
    found: dict[tuple[int, tuple[str, ...]], None] = {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {(0, tuple(alias.name.split("."))): None for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = tuple(node.module.split(".")) if node.module else ()
            names = [base, *((*base, alias.name) for alias in node.names)]
            found |= {(node.level, name): None for name in names}
    return tuple(one for one in found if one[0] or one[1][0] == PACKAGE)


def _folder(level: int, package: Path, importer: Path | None) -> tuple[str, ...]:
    """The package that a relative import begins at, in parts."""
    if not level or importer is None:
        return ()
    return importer.parents[level - 1].relative_to(package.parent).parts


def _files_of(name: Sequence[str], package: Path) -> Iterator[Path]:
    """The files behind a dotted name: packages on the way, then the module itself. A name that the
    package offers without a module of that name, such as ``check``, may come from anywhere."""
    if not name or name[0] != PACKAGE or GRADER in name[1:2]:
        return
    place = package
    yield package / "__init__.py"
    for part in name[1:]:
        place = place / part
        module = place.with_suffix(".py")
        if module.is_file():
            yield module
        elif (place / "__init__.py").is_file():
            yield place / "__init__.py"
        elif place.parent == package:
            yield from _all_but_grader(package)


def _all_but_grader(package: Path) -> Iterator[Path]:
    grader = package / GRADER
    return (p for p in package.rglob("*") if _counts(p) and not p.is_relative_to(grader))


def _counts(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts
