"""How this package is installed, and what to type to install more of it."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

PACKAGE = Path(__file__).parent
NAME = PACKAGE.name


def checkout() -> Path | None:
    """The clone of the repository that this package runs from; None if there is none."""
    root = PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "exercises").is_dir() else None


def install_command(extra: str) -> str:
    """What installs the packages of an extra, such as "grading", from where this one came."""
    if root := checkout():
        return f'pip install -e "{root}[{extra}]"'
    address = repository()
    return f'pip install "{NAME}[{extra}]{f" @ git+{address}" if address else ""}"'


def repository() -> str:
    """The repository's address as the metadata name it; "" if this package is not installed."""
    try:
        addresses = metadata(NAME).get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    label = "Repository, "
    return next((str(line)[len(label) :] for line in addresses if line.startswith(label)), "")


def requirement(package: str) -> str:
    """What this package asks of another, such as "nbgrader<0.10,>=0.9.5"; else only its name."""
    try:
        lines = requires(NAME) or []
    except PackageNotFoundError:
        return package
    asked = (line.partition(";")[0].strip() for line in lines)
    return next((text for text in asked if _same(re.split(r"[^\w.-]", text)[0], package)), package)


def _same(one: str, other: str) -> bool:
    """Whether two names are one for a package index."""
    plain = (re.sub(r"[-_.]+", "-", name).lower() for name in (one, other))
    return len(set(plain)) == 1
