"""Stored outputs are used again only while what made them is the same."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from .site import EXTENSIONS, ROOT

digests = import_module("lesson_digest")

LESSON = ["from rnncourse import data", "%matplotlib inline\nimport torch"]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A package of three modules and a grader; `data` imports `tools`."""
    files = {
        "rnncourse/__init__.py": "",
        "rnncourse/data.py": "from .tools import first\n",
        "rnncourse/tools.py": "first = 1\n",
        "rnncourse/plots.py": "",
        "rnncourse/checks/__init__.py": "",
        "rnncourse/checks/answers.json": "{}",
        "rnncourse/grading/__init__.py": "",
        "rnncourse/_cli.py": "",
        "book/stored/result.json": "{}",
        "book/lesson.md": "# A lesson\n",
        "constraints.txt": "torch==2.13.0\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def digest_after(book: Path, changed: str, cells: list[str]) -> tuple[str, str]:
    """A lesson's digest before and after a file changes."""
    before = digests.lesson_digest(book, cells)
    (book / changed).write_text("second = 2\n", encoding="utf-8")
    return before, digests.lesson_digest(book, cells)


@pytest.mark.parametrize(
    ("cells", "changed"),
    [
        (LESSON, "rnncourse/data.py"),
        (LESSON, "rnncourse/tools.py"),
        (LESSON, "rnncourse/__init__.py"),
        (["import rnncourse.data as d"], "rnncourse/tools.py"),
        (["import rnncourse.checks"], "rnncourse/checks/__init__.py"),
        (["if True:\n    from rnncourse.tools import first"], "rnncourse/tools.py"),
        (["from rnncourse import check"], "rnncourse/checks/answers.json"),
        ([*LESSON, "Path('stored/result.json')"], "book/stored/result.json"),
    ],
)
def test_a_change_of_what_a_lesson_imports_or_reads_is_seen(
    book: Path, cells: list[str], changed: str
) -> None:
    before, after = digest_after(book, changed, cells)
    assert before != after


@pytest.mark.parametrize(
    ("cells", "changed"),
    [
        (LESSON, "rnncourse/plots.py"),
        (LESSON, "rnncourse/_cli.py"),
        (LESSON, "rnncourse/grading/__init__.py"),
        (["from rnncourse import check"], "rnncourse/grading/__init__.py"),
        (LESSON, "book/stored/result.json"),
        (LESSON, "book/lesson.md"),
        (LESSON, "constraints.txt"),
    ],
)
def test_a_change_of_anything_else_is_not(book: Path, cells: list[str], changed: str) -> None:
    before, after = digest_after(book, changed, cells)
    assert before == after


def test_a_module_that_imports_by_name_may_need_anything_but_the_grader(book: Path) -> None:
    (book / "rnncourse/tools.py").write_text("import_module(name)\n", encoding="utf-8")
    before, after = digest_after(book, "rnncourse/plots.py", LESSON)
    assert before != after
    before, after = digest_after(book, "rnncourse/grading/__init__.py", LESSON)
    assert before == after


def test_the_books_own_lessons_depend_on_what_they_import() -> None:
    names = {
        path.relative_to(ROOT).as_posix()
        for path in digests.module_files(ROOT, "from rnncourse import data, plots")
    }
    assert {"rnncourse/data/__init__.py", "rnncourse/data/files.py", "rnncourse/plots.py"} <= names
    everything = digests.module_files(ROOT, "from rnncourse import check, fill")
    names = {path.relative_to(ROOT).as_posix() for path in everything}
    assert {"rnncourse/checks/judge.py", "rnncourse/checks/fingerprints/lstm.json"} <= names
    assert not any(name.startswith("rnncourse/grading/") for name in names)


LESSONS = {
    "one": "from rnncourse.tools import first\nprint('tools:', first)",
    "two": "print('neither tools nor plots')",
    "bad": "print(undefined_name)",
}


def build(root: Path) -> tuple[int, str, list[str]]:
    """Build a small book; its exit status, what it wrote on stderr, and lines on progress."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-c", ".", ".", "out"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("Lessons: ")]
    return done.returncode, done.stderr, lines


def test_lessons_are_run_once_and_only_what_changed_again(book: Path) -> None:
    (book / "conf.py").write_text(
        f"import sys\nsys.path.append({str(EXTENSIONS)!r})\n"
        "extensions = ['myst_nb', 'fresh_outputs']\nnb_execution_mode = 'cache'\n"
        "exclude_patterns = ['out', '_build', 'book', 'jupyter_execute']\n"
        "nb_execution_timeout = 600\n",
        encoding="utf-8",
    )
    for name in ("one", "two"):
        write_lesson(book, name)
    (book / "index.md").write_text("# Book\n\n```{toctree}\none\ntwo\n```\n", encoding="utf-8")
    status, said, lines = build(book)
    assert status == 0, said
    assert lines[0].startswith("Lessons: 2 to run, ")
    assert "Lessons: 1 of 2 run (" in lines[1] and " s left" in lines[1]
    assert lines[2].startswith("Lessons: 2 of 2 run (")
    assert "tools: 1" in (book / "out/one.html").read_text(encoding="utf-8")

    assert build(book) == (0, "", [])

    (book / "rnncourse/tools.py").write_text("first = 7\n", encoding="utf-8")
    status, said, lines = build(book)
    assert status == 0, said
    assert [line for line in lines if " run (" in line] == ["Lessons: 1 of 1 run (one)"]
    assert "tools: 7" in (book / "out/one.html").read_text(encoding="utf-8")

    write_lesson(book, "bad")
    (book / "index.md").write_text("# Book\n\n```{toctree}\nbad\none\n```\n", encoding="utf-8")
    (book / "two.md").unlink()
    status, said, _ = build(book)
    assert status != 0
    assert "bad.md" in said and "Executing notebook failed" in said


def write_lesson(book: Path, name: str) -> None:
    cell = f"```{{code-cell}} ipython3\n{LESSONS[name]}\n```\n"
    head = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n"
    (book / f"{name}.md").write_text(f"{head}\n# Lesson {name}\n\n{cell}", encoding="utf-8")
