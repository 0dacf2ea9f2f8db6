"""What is installed: the package, its exercises, and none of the instructor's side."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

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
