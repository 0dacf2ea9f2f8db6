"""A course folder: what its configuration says, its seed, its lock, and what decides a mark."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

import rnncourse.grading.hidden_test
from rnncourse._errors import CourseError
from rnncourse._installation import install_command
from rnncourse.grading.checkout import Checkout
from rnncourse.grading.commands import Options, grade_assignments
from rnncourse.grading.course import Course
from rnncourse.grading.files import write
from rnncourse.grading.gradebook.database import connect
from rnncourse.grading.hidden_test import HiddenTestError
from rnncourse.grading.run import Exam
from rnncourse.grading.sandbox.limits import Limits
from tools.demonstration.learners import ROOT

SECRET = "pa55word"
SERVER = f"postgresql+psycopg://grader:{SECRET}@db.example.org/marks"


@pytest.fixture(autouse=True)
def nobodys_settings(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder for Jupyter's configuration in the place of that of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("jupyter")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(folder))
    monkeypatch.setenv("JUPYTER_NO_CONFIG", "")
    return folder


def configure(folder: Path, *lines: str) -> None:
    text = "\n".join(("c = get_config()", *lines))
    (folder / "nbgrader_config.py").write_text(text + "\n", encoding="utf-8")


def hand_in(folder: Path, *students: str, assignment: str = "lstm") -> None:
    for student in students:
        (folder / student / assignment).mkdir(parents=True)


def test_a_folder_without_configuration(tmp_path: Path) -> None:
    course = Course.open(tmp_path)
    assert course.gradebook == f"sqlite:///{tmp_path}/gradebook.db"
    assert course.course_id == "default_course"
    assert course.folder("ada", "lstm") == tmp_path / "submitted/ada/lstm"
    assert course.autograded("ada", "lstm") == tmp_path / "autograded/ada/lstm/lstm.ipynb"
    assert course.feedback("ada", "lstm") == tmp_path / "feedback/ada/lstm/lstm.html"
    assert course.record("ada", "lstm") == tmp_path / "records/lstm/ada.json"
    assert course.overview("lstm") == tmp_path / "class/lstm.html"


def test_the_configuration_counts_as_it_does_for_nbgrader(tmp_path: Path) -> None:
    configure(
        tmp_path,
        "c.CourseDirectory.course_id = 'rnn-2026'",
        "c.CourseDirectory.db_url = 'sqlite:///marks/all.db'",
        "c.CourseDirectory.submitted_directory = 'handed in'",
        "c.CourseDirectory.feedback_directory = '/srv/feedback'",
    )
    course = Course.open(tmp_path)
    assert course.course_id == "rnn-2026"
    assert course.gradebook == f"sqlite:///{tmp_path}/marks/all.db"
    assert course.folder("ada", "lstm") == tmp_path / "handed in/ada/lstm"
    assert course.feedback("ada", "lstm") == Path("/srv/feedback/ada/lstm/lstm.html")
    hand_in(tmp_path / "handed in", "bob", "ada")
    assert course.students("lstm") == ["ada", "bob"]


def test_names_of_options_from_before_still_count(tmp_path: Path) -> None:
    configure(tmp_path, "c.NbGrader.course_id = 'old'", "c.NbGrader.db_url = 'sqlite:///old.db'")
    course = Course.open(tmp_path)
    assert (course.course_id, course.gradebook) == ("old", f"sqlite:///{tmp_path}/old.db")


def test_the_persons_own_configuration_comes_first_and_the_folders_last(
    tmp_path: Path, nobodys_settings: Path
) -> None:
    configure(
        nobodys_settings,
        "c.CourseDirectory.course_id = 'mine'",
        "c.CourseDirectory.db_url = 'sqlite:////srv/mine.db'",
    )
    configure(tmp_path, "c.CourseDirectory.course_id = 'this'")
    course = Course.open(tmp_path)
    assert (course.course_id, course.gradebook) == ("this", "sqlite:////srv/mine.db")


def test_the_option_wins_and_its_file_lies_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, f"c.CourseDirectory.db_url = {SERVER!r}")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    course = Course.open(tmp_path, "sqlite:///mine.db")
    assert course.gradebook == f"sqlite:///{tmp_path}/here/mine.db"
    assert course.gradebook_name == "mine.db"


def test_no_message_shows_a_password(tmp_path: Path) -> None:
    configure(tmp_path, f"c.CourseDirectory.db_url = {SERVER!r}")
    course = Course.open(tmp_path)
    assert course.gradebook == SERVER
    assert course.gradebook_name == "postgresql+psycopg://grader@db.example.org/marks"
    in_query = Course.open(tmp_path, f"postgresql+psycopg://db/marks?password={SECRET}")
    assert SECRET not in in_query.gradebook_name and SECRET in in_query.gradebook
    assert SECRET not in repr(course)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (("x = 1", "x +"), "SyntaxError: invalid syntax (nbgrader_config.py, line 3)."),
        (("c.CourseDirectory.course_id = name",), "line 2: NameError: name 'name' is not defined."),
        (("import no_such_module",), "line 2: ModuleNotFoundError: No module named"),
        (("import sys; sys.exit(3)",), "line 2: SystemExit: 3."),
        (("c.CourseDirectory.db_url = 5",), "The 'db_url' trait"),
        (
            ("c.CourseDirectory.directory_structure = '{student_id}/{assignment_id}'",),
            "sets CourseDirectory.directory_structure: this grader only knows nbgrader's own",
        ),
    ],
)
def test_a_configuration_that_cannot_be_used(
    tmp_path: Path, lines: tuple[str, ...], sentence: str
) -> None:
    configure(tmp_path, *lines)
    with pytest.raises(CourseError) as told:
        Course.open(tmp_path)
    assert sentence in str(told.value)
    assert str(tmp_path / "nbgrader_config.py") in str(told.value)
    assert "\n" not in str(told.value)


def test_a_module_beside_the_configuration_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "our_names_1.py").write_text("COURSE = 'from beside'\n", encoding="utf-8")
    configure(tmp_path, "import our_names_1", "c.CourseDirectory.course_id = our_names_1.COURSE")
    before = list(sys.path)
    assert Course.open(tmp_path).course_id == "from beside"
    assert sys.path == before


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("gradebook.db", "the gradebook's URL cannot be read: it looks like sqlite:///FILE or"),
        (f"postgresql://x:{SECRET}@host:port/db", "the gradebook's URL cannot be read"),
        ("mysql://host/db", "a gradebook cannot be kept in mysql"),
        (f"postgres://x:{SECRET}@host/db", "a gradebook cannot be kept in postgres:"),
        ("postgresql+asyncpg://host/db", "a gradebook cannot be kept in postgresql+asyncpg"),
        ("sqlite://", "a gradebook in memory would be lost"),
        (f"postgresql+psycopg://x:a@{SECRET}@host/db", "an @ in a name or a password is written"),
    ],
)
def test_a_wrong_url_is_said(tmp_path: Path, url: str, sentence: str) -> None:
    with pytest.raises(CourseError) as told:
        Course.open(tmp_path, url)
    assert sentence in str(told.value) and SECRET not in str(told.value)


def test_a_missing_driver_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(CourseError) as told:
        connect(Course.open(tmp_path, SERVER).url)
    assert str(told.value) == (
        "postgresql+psycopg://grader@db.example.org/marks needs psycopg, which is not installed: "
        f"{install_command('postgresql')}"
    )


def test_who_handed_in_and_who_did_not(tmp_path: Path) -> None:
    hand_in(tmp_path / "submitted", "ada", "Zoë Müller", ".ipynb_checkpoints")
    hand_in(tmp_path / "submitted", "bob", assignment="gru")
    (tmp_path / "submitted" / "notes.txt").write_text("mine", encoding="utf-8")
    course = Course.open(tmp_path)
    assert course.students("lstm") == ["Zoë Müller", "ada"]
    assert course.without("lstm") == ["bob"]
    with pytest.raises(CourseError, match="nobody has handed in rnn"):
        course.students("rnn")


@pytest.mark.parametrize(
    "name", ["a" * 129, "é" * 101, "two\nlines", os.fsdecode(b"J\xf6rg"), "=1+1", "-x"]
)
def test_a_name_that_no_gradebook_takes_stops_nobody_else(tmp_path: Path, name: str) -> None:
    hand_in(tmp_path / "submitted", "ada", name)
    course = Course.open(tmp_path)
    assert course.students("lstm") == ["ada"]
    assert course.misnamed() == [ascii(name)]


def test_the_seed_is_drawn_once(tmp_path: Path) -> None:
    course = Course.open(tmp_path)
    assert course.seed("lstm") != course.seed("lstm")
    assert not (tmp_path / "records").exists()
    seed = course.seed("lstm")
    course.keep_seed("lstm", seed)
    assert course.seed("lstm") == Course.open(tmp_path).seed("lstm") == seed
    assert course.seed("gru") != seed
    assert not list((tmp_path / "records").glob(".*"))


def draw(folder: Path) -> int:
    course = Course.open(folder)
    with suppress(CourseError):
        course.keep_seed("lstm", course.seed("lstm"))
    return course.seed("lstm")


def test_who_begins_second_is_told(tmp_path: Path) -> None:
    course = Course.open(tmp_path)
    course.keep_seed("lstm", 1)
    with pytest.raises(CourseError, match="another grader has just begun lstm: run it once more"):
        course.keep_seed("lstm", 2)
    assert course.seed("lstm") == 1


def test_graders_that_start_at_once_draw_one_seed(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(8) as pool:
        for number in range(20):
            folder = tmp_path / str(number)
            folder.mkdir()
            assert len(set(pool.map(draw, [folder] * 8, chunksize=1))) == 1


def test_the_seed_on_a_file_system_without_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert draw(tmp_path) == draw(tmp_path)


@pytest.mark.parametrize(
    "content", ["", '{"seed": 12', "{}", "[]", '{"seed": "12"}', '{"seed": -1}']
)
def test_a_damaged_seed_is_never_drawn_again(tmp_path: Path, content: str) -> None:
    course = Course.open(tmp_path)
    course.keep_seed("lstm", 1)
    (path,) = (tmp_path / "records").iterdir()
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CourseError, match=r"lstm\.seed\.json is damaged.*from a copy"):
        course.seed("lstm")
    assert path.read_text(encoding="utf-8") == content


def test_a_learner_called_seed_has_a_record_of_their_own(tmp_path: Path) -> None:
    course = Course.open(tmp_path)
    seed = draw(tmp_path)
    path = course.record("seed", "lstm")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}", encoding="utf-8")
    assert course.seed("lstm") == seed


HOLD = """
import sys, time
from pathlib import Path
from rnncourse.grading.course import Course
with Course.open(Path(sys.argv[1])).lock():
    print("held", flush=True)
    time.sleep(10**6)
"""


def test_one_grader_at_a_time_until_its_process_ends(tmp_path: Path) -> None:
    course = Course.open(tmp_path)
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(CourseError) as told, course.lock():
            pass
        assert str(told.value) == (
            f"another grader (process {other.pid}) is at work in this course: wait for it."
        )
        other.send_signal(signal.SIGKILL)
    for _ in range(2):
        with course.lock():
            pass


def test_a_file_system_without_locks_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with Course.open(tmp_path).lock():
        pass


CHANGES: dict[str, Callable[[Path], Path]] = {
    "solutions": lambda root: root / "solutions/lstm/lstm.ipynb",
    "stubs": lambda root: root / "rnncourse/lstm.py",
    "what a stub is": lambda root: root / "rnncourse/_exercise.py",
    "judge": lambda root: root / "rnncourse/checks/judge.py",
    "fingerprints": lambda root: root / "rnncourse/checks/fingerprints/lstm.json",
    "plans": lambda root: root / "rnncourse/checks/plans/lstm.py",
    "host": lambda root: root / "rnncourse/grading/sandbox/host.py",
    "repair": lambda root: root / "rnncourse/grading/submissions/repair.py",
    "verdicts": lambda root: root / "rnncourse/grading/marking.py",
    "which cells run": lambda root: root / "rnncourse/_notebook.py",
    "worker": lambda root: root / "rnncourse/grading/worker/session.py",
}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("checkout")
    for part in ("solutions", "rnncourse"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, root / part, ignore=ignored)
    return root


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_decides_a_mark_is_seen_when_it_changes(
    copied: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(rnncourse.grading.checkout, "PACKAGE", copied / "rnncourse")
    before = Checkout(copied).inputs_digest("lstm", 1, "10 s")
    assert Checkout(copied).inputs_digest("lstm", 1, "10 s") == before
    path = CHANGES[what](copied)
    path.write_bytes(path.read_bytes() + b"\n")
    assert Checkout(copied).inputs_digest("lstm", 1, "10 s") != before


@pytest.mark.parametrize(
    "path",
    ["grading/pages/rendering.py", "grading/intake/owners.py", "_cli.py"],
)
def test_what_only_takes_in_or_shows_decides_no_mark(
    copied: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(rnncourse.grading.checkout, "PACKAGE", copied / "rnncourse")
    before = Checkout(copied).inputs_digest("lstm", 1, "10 s")
    (copied / "rnncourse" / path).write_text("# new", encoding="utf-8")
    assert Checkout(copied).inputs_digest("lstm", 1, "10 s") == before


def test_seed_limits_and_torch_decide_too(monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = Checkout(ROOT)
    hashes = {
        checkout.inputs_digest("lstm", seed, limits) for seed in (1, 2) for limits in ("1", "2")
    }
    monkeypatch.setattr("rnncourse.grading.checkout.version", lambda package: f"{package} 1.0")
    hashes.add(checkout.inputs_digest("lstm", 1, "1"))
    assert len(hashes) == 5


def test_what_cannot_be_kept_as_text_is_kept_as_a_question_mark(tmp_path: Path) -> None:
    write(tmp_path / "page.html", json.loads('"half of a \\ud83d pair"'))
    assert (tmp_path / "page.html").read_text("utf-8") == "half of a ? pair"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / ".grading.lock").mkdir()  # root may write anywhere else
    with (
        pytest.raises(CourseError, match=f"the course folder {tmp_path} cannot be written to"),
        Course.open(tmp_path).lock(),
    ):
        pass


def test_a_report_without_a_folder_is_refused_before_any_work(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada")
    options = Options(report=tmp_path / "nowhere/r.json")
    with pytest.raises(CourseError, match="there is no folder .*nowhere for the report"):
        grade_assignments(["lstm"], tmp_path, Console(file=io.StringIO()), options)
    assert {path.name for path in tmp_path.iterdir()} == {"ada"}


def test_an_exam_that_cannot_be_prepared_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise HiddenTestError("no stage of lstm_cell is worth any points.")

    monkeypatch.setattr(rnncourse.grading.hidden_test, "build_hidden_test", refuse)
    with pytest.raises(CourseError, match="no stage of lstm_cell"):
        Exam.prepare(Checkout(ROOT), Course.open(tmp_path), "lstm", Limits())
    assert not list(tmp_path.iterdir())
