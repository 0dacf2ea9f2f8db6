"""What is special about a gradebook on a PostgreSQL server: reaching it, and grading into it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import create_engine, text

from rnncourse._errors import CourseError
from rnncourse.grading.checkout import Checkout
from rnncourse.grading.course import Course
from rnncourse.grading.gradebook.gradebook import Book
from rnncourse.grading.record import from_json
from rnncourse.grading.sandbox.launch import obstacle
from tests.grading.gradebook.mixed import NAME, record, write_mixed
from tests.grading.nbgrader_course import environment, nbgrader
from tests.grading.postgresql import PASSWORD, USER, Server
from tests.grading.test_class import MARKS
from tools.demonstration.learners import ROOT, write_class

NO_SANDBOX = obstacle()
SECRETS = (PASSWORD, "n0t-this-one", "p@ss", "p%40ss")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return write_mixed(tmp_path_factory.mktemp("checkout"))


def refusal(course: Course, checkout: Checkout) -> str:
    with pytest.raises(CourseError) as told:
        Book.open(course, checkout, NAME)
    sentence = str(told.value)
    assert "\n" not in sentence and not [secret for secret in SECRETS if secret in sentence]
    return sentence


def test_a_wrong_password(server: Server, tmp_path: Path, checkout: Checkout) -> None:
    course = Course.open(tmp_path, server.url("postgres", "n0t-this-one"))
    assert refusal(course, checkout).startswith(f"postgresql+psycopg://{USER}@127.0.0.1:")
    assert f'password authentication failed for user "{USER}"' in refusal(course, checkout)


def test_no_server(server: Server, tmp_path: Path, checkout: Checkout) -> None:
    url = server.url("postgres").replace(str(server.port), "1")
    assert "Connection refused" in refusal(Course.open(tmp_path, url), checkout)


def test_no_such_database(server: Server, tmp_path: Path, checkout: Checkout) -> None:
    course = Course.open(tmp_path, server.url("nowhere"))
    assert 'database "nowhere" does not exist' in refusal(course, checkout)


def test_the_command_says_a_wrong_password_too(server: Server, tmp_path: Path) -> None:
    write_class(tmp_path)
    done = grade(tmp_path, "--gradebook", server.url("postgres", "n0t-this-one"))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "password authentication failed" in line and line.startswith("rnncourse: postgresql")
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]
    assert not (tmp_path / "feedback").exists()


@pytest.mark.parametrize("place", ["PGPASSWORD", "file"])
def test_the_password_need_not_be_in_the_url(
    server: Server,
    tmp_path: Path,
    checkout: Checkout,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    if place == "file":
        escaped = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
        passwords = tmp_path / ".pgpass"
        passwords.write_text(f"127.0.0.1:*:*:{USER}:{escaped}\n", encoding="utf-8")
        passwords.chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(passwords))
    else:
        monkeypatch.setenv("PGPASSWORD", PASSWORD)
    server.new(place)
    url = f"postgresql+psycopg://{USER}@127.0.0.1:{server.port}/{place}"
    book = Book.open(Course.open(tmp_path, url), checkout, NAME)
    book.commit(record("ada", {"double": 1.0, "halve": None}))
    assert book.scores() == {"ada": {"double": 1.0, "halve": None}}


def test_a_connection_that_the_server_ended_is_made_anew(
    server: Server, tmp_path: Path, checkout: Checkout
) -> None:
    url = server.new("restarted")
    book = Book.open(Course.open(tmp_path, url), checkout, NAME)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        others = "datname = 'restarted' and pid <> pg_backend_pid()"
        ended = text(f"select pg_terminate_backend(pid) from pg_stat_activity where {others}")
        assert connection.execute(ended).all() == [(True,)]
    engine.dispose()
    book.commit(record("ada", {"double": 1.0, "halve": 2.0}))
    assert "ada" in book.scores()


@pytest.mark.only_long
def test_nbgrader_can_upgrade_it(server: Server, tmp_path: Path, checkout: Checkout) -> None:
    course = Course.open(tmp_path, server.new("upgraded"))
    Book.open(course, checkout, NAME).close()
    without = f"postgresql+psycopg://{USER}@127.0.0.1:{server.port}/upgraded"
    done = nbgrader(tmp_path, "db", "upgrade", "--db", without, PGPASSWORD=PASSWORD)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(NO_SANDBOX is not None, reason=str(NO_SANDBOX))
def test_the_class_of_seven_is_graded_into_it(server: Server, tmp_path: Path) -> None:
    write_class(tmp_path)
    url = server.new("seven")
    config = f"c = get_config()\nc.CourseDirectory.db_url = {url!r}\n"
    (tmp_path / "nbgrader_config.py").write_text(config, encoding="utf-8")
    done = grade(tmp_path, "--seconds", "1")
    assert done.stderr == "rnncourse: refused, and marked 0: goran; the table says why.\n"
    assert f"Marks: postgresql+psycopg://{USER}@127.0.0.1:{server.port}/seven" in done.stdout
    assert not (tmp_path / "gradebook.db").exists()
    with Gradebook(url) as gradebook:
        submissions = gradebook.assignment_submissions("lstm")
        assert {s.student.id: s.score for s in submissions} == pytest.approx(MARKS)
    again = grade(tmp_path, "--seconds", "1")
    assert "0 graded, 7 had not changed" in again.stdout
    in_file = Course.open(tmp_path, f"sqlite:///{tmp_path}/copy.db")
    book = Book.open(in_file, Checkout(ROOT), "lstm")
    for path in in_file.records("lstm").glob("*.json"):
        book.commit(from_json(path.read_text(encoding="utf-8")))
    assert marks(in_file.gradebook) == marks(url)


def marks(url: str) -> dict[str, list[tuple[object, ...]]]:
    """What nbgrader itself reads."""
    with Gradebook(url) as gradebook:
        return {
            submission.student.id: sorted(
                (g.name, g.auto_score, g.needs_manual_grade, g.score)
                for notebook in submission.notebooks
                for g in notebook.grades
            )
            for submission in gradebook.assignment_submissions("lstm")
        }


def grade(course: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rnncourse", "grade", "lstm", "--course", str(course)]
    return subprocess.run(
        [*command, "--workers", "1", *more],
        cwd=ROOT,
        env=environment(course) | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
