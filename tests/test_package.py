"""What is installed: the package, its exercises, and none of the instructor's side."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_course_and_no_answers(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        texts = {n: archive.read(n).decode("utf-8") for n in names if n.endswith((".py", ".ipynb"))}
    for wanted in (
        "rnncourse/lstm.py",
        "rnncourse/checks/fingerprints/lstm.json",
        "rnncourse/grading/pages/templates/feedback.html",
        "rnncourse/_exercises/lstm/lstm.ipynb",
    ):
        assert wanted in names
    assert any(name.endswith("LICENSE") for name in names)
    assert all(name.startswith(("rnncourse/", "rnncourse-")) for name in names)
    for name, text in texts.items():
        assert "BEGIN SOLUTION" not in text, name
        assert "BEGIN HIDDEN TESTS" not in text or name.endswith(".py"), name


def test_a_learner_can_start_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Unpacked away from the checkout, as an installation is."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    done = subprocess.run(
        [sys.executable, "-m", "rnncourse", "start", "work"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "made  work/lstm/lstm.ipynb" in done.stdout
    made = (tmp_path / "work/lstm/lstm.ipynb").read_bytes()
    assert made == (ROOT / "exercises/lstm/lstm.ipynb").read_bytes()


def test_every_stub_module_is_an_assignment() -> None:
    from rnncourse.exercise import CHAPTERS

    for chapter in CHAPTERS:
        for place in (
            f"rnncourse/{chapter}.py",
            f"solutions/{chapter}/{chapter}.ipynb",
            f"exercises/{chapter}/{chapter}.ipynb",
            f"tests/hidden/{chapter}.py",
            f"tests/mistakes/{chapter}.py",
        ):
            assert (ROOT / place).is_file(), place
        assert find_spec(f"rnncourse.checks.{chapter}"), chapter
    for room in ("solutions", "exercises"):
        assert {p.name for p in (ROOT / room).iterdir()} == set(CHAPTERS), room


def test_the_package_imports_one_way() -> None:
    """A learner's process never needs the grader."""
    code = (
        "import sys; import rnncourse, rnncourse.nn, rnncourse.train, rnncourse.data;"
        "import rnncourse.cli, rnncourse.workspace, rnncourse.checks.lstm;"
        "sys.exit(any(m.startswith('rnncourse.grading') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_package_that_is_imported_is_declared() -> None:
    """None comes only because another package happens to need it today."""
    project = project_table()
    base = names_of(project["dependencies"])
    extras = {name: names_of(needs) for name, needs in project["optional-dependencies"].items()}
    distributions = packages_distributions()
    for path in (ROOT / "rnncourse").rglob("*.py"):
        in_grader = "grading" in path.relative_to(ROOT).parts
        declared = set().union(base, *extras.values()) if in_grader else base | extras["book"]
        for module in set(imported(path)) - {"rnncourse", "tests"} - sys.stdlib_module_names:
            known = {canonicalize_name(name) for name in distributions.get(module, [module])}
            assert known & declared, f"{path}: {module}"


def test_constraints_are_exact_and_allow_what_is_declared() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    exact = [Requirement(line) for line in lines if not line.startswith("#")]
    pins = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in exact}
    assert len(pins) == len(exact) and all(str(pin.specifier).startswith("==") for pin in exact)
    project = project_table()
    for need in [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]:
        requirement = Requirement(need)
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), need


def project_table() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return table


def names_of(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def imported(path: Path) -> Iterator[str]:
    """The top-level packages that a module imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]
