"""Stored outputs are used again only while the code that made them is the same."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

fresh_outputs = import_module("fresh_outputs")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "rnncourse").mkdir()
    (tmp_path / "rnncourse" / "data.py").write_text("first = 1\n")
    (tmp_path / "book" / "stored").mkdir(parents=True)
    (tmp_path / "constraints.txt").write_text("torch==2.13.0\n")
    return tmp_path


@pytest.mark.parametrize(
    "changed",
    ["rnncourse/data.py", "rnncourse/new.py", "constraints.txt", "book/stored/result.json"],
)
def test_a_change_of_the_code_is_seen(book: Path, changed: str) -> None:
    before = fresh_outputs.fingerprint(book)
    (book / changed).write_text("second = 2\n")
    assert fresh_outputs.fingerprint(book) != before


def test_a_new_name_alone_is_seen(book: Path) -> None:
    before = fresh_outputs.fingerprint(book)
    (book / "rnncourse" / "data.py").rename(book / "rnncourse" / "other.py")
    assert fresh_outputs.fingerprint(book) != before


def test_compiled_files_and_lessons_do_not_count(book: Path) -> None:
    before = fresh_outputs.fingerprint(book)
    (book / "rnncourse" / "__pycache__").mkdir()
    (book / "rnncourse" / "__pycache__" / "data.pyc").write_bytes(b"compiled")
    (book / "lesson.md").write_text("# A lesson\n")
    assert fresh_outputs.fingerprint(book) == before


def test_the_old_cache_goes_when_the_code_changes(book: Path) -> None:
    app = SimpleNamespace(srcdir=str(book))

    def choose() -> Path:
        config = SimpleNamespace()
        fresh_outputs.choose_cache(app, config)
        chosen = Path(config.nb_execution_cache_path)
        chosen.mkdir(parents=True, exist_ok=True)
        return chosen

    first = choose()
    assert choose() == first
    assert first.exists()
    (book / "rnncourse" / "data.py").write_text("second = 2\n")
    second = choose()
    assert second != first
    assert not first.exists()
