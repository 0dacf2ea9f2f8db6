"""Archives of learning platforms become submissions, and nothing else happens."""

from __future__ import annotations

import io
import os
import random
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

import pytest
from rich.console import Console

from rnncourse._errors import CourseError
from rnncourse.grading.course import Course
from rnncourse.grading.intake import archive as archives
from rnncourse.grading.intake import importer
from rnncourse.grading.intake.archive import Member
from rnncourse.grading.intake.choosing import Skipped
from rnncourse.grading.intake.collect import Collected, collect
from rnncourse.grading.intake.command import collect_archive
from rnncourse.grading.intake.importer import Importer, Row
from rnncourse.grading.intake.owners import HandIn
from rnncourse.grading.kernel import with_missing_kernel
from rnncourse.grading.submissions.budget import Budget
from tools.demonstration.learners import filled


def notebook(name: str) -> bytes:
    """What somebody hands in, as it is once it is taken in: see test_kernel.py."""
    return with_missing_kernel(filled({"lstm_cell": f"# {name}"}).encode())


ADA, BILAL, OLD = map(notebook, ("ada", "bilal", "old"))


def zipped(files: Mapping[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return memory.getvalue()


def put(path: Path, course: Path, assignment: str = "lstm", **options: str | bool) -> Collected:
    """What becomes of an archive or a folder."""
    numbers = course / "records/learners.json"
    return collect(path, course / "submitted", numbers, assignment, **options)  # type: ignore[arg-type]


def collected(tmp_path: Path, files: Mapping[str, bytes], **options: str | bool) -> Collected:
    """What becomes of a zip archive of these files."""
    path = tmp_path / "handed-out.zip"
    path.write_bytes(zipped(files))
    return put(path, tmp_path, **options)  # type: ignore[arg-type]


def submissions(tmp_path: Path) -> dict[str, bytes]:
    """Every file that is in submitted/ now."""
    root = tmp_path / "submitted"
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    "ada, bilal",
    [
        ("Ada_1234_assignsubmission_file_/lstm.ipynb", "B_1235_assignsubmission_file_/lstm.ipynb"),
        ("Ada_1234_assignsubmission_file/lstm.ipynb", "B_1235_assignsubmission_file/lstm.ipynb"),
        ("Ada_1234_assignsubmission_file_lstm.ipynb", "B_1235_assignsubmission_file_lstm.ipynb"),
        ("Ada_12345_67890_lstm.ipynb", "B_LATE_12346_67891_lstm-2.ipynb"),
        ("Ada/lstm.ipynb", "B/lstm (1).ipynb"),
        ("exam/Ada/lstm.ipynb", "exam/B/lstm.ipynb"),
        ("submitted/Ada/lstm/lstm.ipynb", "submitted/B/lstm/lstm.ipynb"),
        ("Ada/work/lstm.ipynb", "B/lstm.ipynb"),
        ("Ada.ipynb", "B_lstm.ipynb"),
    ],
)
def test_each_platform_has_its_names(tmp_path: Path, ada: str, bilal: str) -> None:
    done = collected(tmp_path, {ada: ADA, bilal: BILAL})
    assert submissions(tmp_path) == {"Ada/lstm/lstm.ipynb": ADA, "B/lstm/lstm.ipynb": BILAL}
    assert [(r.student, r.files, r.outcome) for r in done.rows] == [
        ("Ada", (ada,), "new"),
        ("B", (bilal,), "new"),
    ]
    assert not done.unmatched and not done.ignored


def test_a_folder_is_as_good_as_an_archive(tmp_path: Path) -> None:
    place = tmp_path / "out/Ada Lovelace_1234_assignsubmission_file_/lstm.ipynb"
    place.parent.mkdir(parents=True)
    place.write_bytes(ADA)
    done = put(tmp_path / "out", tmp_path)
    assert [row.student for row in done.rows] == ["Ada_Lovelace"]
    assert submissions(tmp_path) == {"Ada_Lovelace/lstm/lstm.ipynb": ADA}


def test_a_pattern_says_where_the_names_are(tmp_path: Path) -> None:
    files = {"group 3/report-of-ada@example.org.ipynb": ADA, "group 3/readme.txt": b"hello"}
    done = collected(tmp_path, files, pattern=r"report-of-(?P<student>[^@]+)@")
    assert submissions(tmp_path) == {
        "ada/lstm/report-of-ada@example.org.ipynb": ADA  # its name says nothing: the grader looks
    }
    assert done.unmatched == ["group 3/readme.txt"]
    for pattern in ("(", "(.*)"):
        with pytest.raises(CourseError, match="--pattern"):
            collected(tmp_path, files, pattern=pattern)


def test_the_last_attempt_counts(tmp_path: Path) -> None:
    files = {
        "ada_12345_67893_lstm-10.ipynb": ADA,
        "ada_12345_67890_lstm.ipynb": OLD,
        "ada_LATE_12345_67892_lstm-2.ipynb": OLD,
    }
    done = collected(tmp_path, files)
    assert submissions(tmp_path) == {"ada/lstm/lstm.ipynb": ADA}
    assert done.rows[0].files == ("ada_12345_67893_lstm-10.ipynb",)


def test_an_archive_in_the_archive_is_opened_once(tmp_path: Path) -> None:
    inner = zipped({"__MACOSX/._lstm.ipynb": b"x", "work/lstm.ipynb": ADA, "work/notes.pdf": b"x"})
    deep = zipped({"again.zip": zipped({"lstm.ipynb": ADA})})
    done = collected(tmp_path, {"Ada/my work.zip": inner, "B/work.zip": deep, "C.zip": inner})
    assert submissions(tmp_path) == {"Ada/lstm/lstm.ipynb": ADA, "C/lstm/lstm.ipynb": ADA}
    assert [(r.student, r.outcome, r.why) for r in done.rows] == [
        ("Ada", "new", ""),
        ("B", "not collected", "there is no notebook"),
        ("C", "new", ""),
    ]


def test_where_several_could_be_meant_the_grader_gets_all(tmp_path: Path) -> None:
    done = collected(
        tmp_path,
        {
            "ada/final.ipynb": ADA,
            "ada/final2.ipynb": OLD,
            "ben/gru.ipynb": OLD,
            "ben/lstm.ipynb": ADA,
            "cem/final.ipynb": ADA,
            "dan/lstm.ipynb": ADA,
            "dan/my lstm.ipynb": OLD,
        },
    )
    assert submissions(tmp_path) == {
        "ada/lstm/1 final.ipynb": ADA,
        "ada/lstm/2 final2.ipynb": OLD,
        "ben/lstm/lstm.ipynb": ADA,
        "cem/lstm/final.ipynb": ADA,
        "dan/lstm/lstm.ipynb": ADA,
        "dan/lstm/2 my_lstm.ipynb": OLD,
    }
    assert [row.student for row in done.rows if row.in_doubt] == ["ada"]
    assert "several could be meant" in done.rows[0].why
    assert done.rows[1].left == (Skipped("ben/gru.ipynb", "its name does not say lstm"),)
    assert done.rows[3].why.startswith("the grader takes dan/lstm.ipynb")


@pytest.mark.parametrize(
    "first, last",
    [
        ("Ada/lstm.ipynb", "Ada/lstm (1).ipynb"),
        ("Ada/lstm (9).ipynb", "Ada/lstm (10).ipynb"),
        ("Ada_12345_67890_lstm.ipynb", "Ada_12345_67891_lstm-1.ipynb"),
        ("Ada_12345_67890_lstm-1.ipynb", "Ada_12345_67891_lstm.ipynb"),
        ("Ada_12345_67890_lstm (1).ipynb", "Ada_12345_67891_lstm.ipynb"),
    ],
)
def test_of_copies_the_last_is_taken_and_the_other_named(
    tmp_path: Path, first: str, last: str
) -> None:
    done = collected(tmp_path, {last: ADA, first: OLD})
    assert submissions(tmp_path) == {"Ada/lstm/lstm.ipynb": ADA}
    (row,) = done.rows
    assert row.files == (last,) and [left.file for left in row.left] == [first]
    assert "later" in row.left[0].why and not row.in_doubt


@pytest.mark.parametrize("copy", ["lstm-Copy1.ipynb", "lstm - Copy.ipynb"])
def test_a_copy_that_a_person_made_may_be_either_version(tmp_path: Path, copy: str) -> None:
    (row,) = collected(tmp_path, {"Ada/lstm.ipynb": ADA, f"Ada/{copy}": OLD}).rows
    assert row.in_doubt
    assert set(submissions(tmp_path).values()) == {ADA, OLD}
    (alone,) = collected(tmp_path, {f"Bo/{copy}": ADA}).rows
    assert not alone.in_doubt


def test_nothing_is_overwritten_unless_one_says_so(tmp_path: Path) -> None:
    collected(tmp_path, {"ada.ipynb": OLD, "ben.ipynb": OLD})
    (tmp_path / "submitted/ada/lstm/timestamp.txt").write_text("2030-01-01 10:00:00 UTC")
    before = submissions(tmp_path)
    new = {"ada.ipynb": ADA, "ben.ipynb": OLD}
    done = collected(tmp_path, new)
    assert [row.outcome for row in done.rows] == ["kept", "there already"]
    assert submissions(tmp_path) == before
    done = collected(tmp_path, new, replace=True)
    assert [row.outcome for row in done.rows] == ["replaced", "there already"]
    assert submissions(tmp_path) == {"ada/lstm/lstm.ipynb": ADA, "ben/lstm/lstm.ipynb": OLD}


def test_learners_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    done = collected(
        tmp_path,
        {
            "Ada L_1234_assignsubmission_file_/lstm.ipynb": ADA,
            "Ada L_1235_assignsubmission_file_/lstm.ipynb": BILAL,
            "a b/lstm.ipynb": ADA,
            "a_b/lstm.ipynb": BILAL,
        },
    )
    assert submissions(tmp_path) == {
        "Ada_L_1234/lstm/lstm.ipynb": ADA,
        "Ada_L_1235/lstm/lstm.ipynb": BILAL,
    }
    assert [r.why for r in done.rows if r.outcome == "not collected"] == [
        "another learner's folder would have the same name"
    ] * 2


def moodle(*people: str) -> dict[str, bytes]:
    """An archive in which people, each a name and a number, handed in notebooks of their own."""
    return {f"{person}_assignsubmission_file_/lstm.ipynb": notebook(person) for person in people}


def happened(done: Collected) -> list[tuple[str, str]]:
    return [(row.student, row.outcome) for row in done.rows]


def test_canvas_numbers_are_remembered(tmp_path: Path) -> None:
    collected(tmp_path, {"ada_10_900_lstm.ipynb": ADA, "ada_11_901_lstm.ipynb": BILAL})
    done = collected(tmp_path, {"ada_11_905_gru.ipynb": OLD}, assignment="gru")
    assert happened(done) == [("ada_11", "new")]
    done = collected(tmp_path, {"ada_12_906_gru.ipynb": OLD}, assignment="gru")
    assert happened(done) == [("ada_12", "new")]
    collected(tmp_path, {"ben_20_907_lstm.ipynb": OLD})
    done = collected(
        tmp_path, {"ben_21_908_gru.ipynb": ADA, "benny_20_909_gru.ipynb": OLD}, assignment="gru"
    )
    assert happened(done) == [("ben", "new"), ("ben_21", "new")]
    assert sorted(path.name for path in (tmp_path / "submitted").iterdir()) == [
        *("ada_10", "ada_11", "ada_12", "ben", "ben_21")
    ]


def test_moodle_learners_of_one_name_are_not_guessed(tmp_path: Path) -> None:
    collected(tmp_path, moodle("Ada L_10", "Ada L_11", "Bo_12"))
    done = collected(tmp_path, moodle("Ada L_50", "Bo_51"), assignment="gru")
    assert happened(done) == [("Bo", "new"), ("Ada_L", "not collected")]
    assert done.rows[1].why == (
        "several learners have this name, and the course knows Ada_L_10, Ada_L_11: "
        "copy the file to submitted/<learner>/gru/ by hand"
    )
    names = {path.name for path in (tmp_path / "submitted").iterdir()}
    assert names == {"Ada_L_10", "Ada_L_11", "Bo"}
    again = collected(tmp_path, moodle("Ada L_10", "Ada L_11", "Ada L_13"))
    assert happened(again) == [
        ("Ada_L_10", "there already"),
        ("Ada_L_11", "there already"),
        ("Ada_L_13", "new"),
    ]


def test_a_moodle_name_that_becomes_two_is_not_guessed(tmp_path: Path) -> None:
    collected(tmp_path, moodle("Ada L_10"))
    done = collected(tmp_path, moodle("Ada L_50", "Ada L_51"), assignment="gru")
    assert happened(done) == [("Ada_L", "not collected")] * 2
    done = collected(tmp_path, moodle("Ada L_52"))
    assert happened(done) == [("Ada_L", "not collected")]
    assert "another number in lstm" in done.rows[0].why and "--pattern" in done.rows[0].why
    done = collected(tmp_path, moodle("Ada L_10", "Ada L_11"))
    assert happened(done) == [("Ada_L", "there already"), ("Ada_L_11", "new")]


def test_long_names_keep_their_numbers(tmp_path: Path) -> None:
    name = "L" * 140
    done = collected(tmp_path, moodle(f"{name}_10", f"{name}_11"))
    assert [row.student[-3:] for row in done.rows] == ["_10", "_11"]


@pytest.mark.parametrize(
    "name", ["+49 Kim", "@home Kim", "=cmd", "-rf Kim", "\u738b" * 100, "K\u3164im"]
)
def test_every_folder_is_one_that_the_grader_takes(tmp_path: Path, name: str) -> None:
    done = collected(tmp_path, moodle(f"{name}_10"))
    assert [row.outcome for row in done.rows] == ["new"]
    course = Course.open(tmp_path)
    assert course.students("lstm") and not course.misnamed()


def test_damaged_numbers_stop_the_command(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    for text in ("[", "[]", '{"canvas 1": {"name": "x", "learner": "../x"}}'):
        (tmp_path / "records/learners.json").write_text(text)
        with pytest.raises(CourseError, match="is damaged"):
            collected(tmp_path, {"ada_10_900_lstm.ipynb": ADA})


def test_files_of_different_folders_are_not_fused(tmp_path: Path) -> None:
    groups = {
        "week3/Group A/jones/lstm.ipynb": ADA,
        "week3/Group A/smith/lstm.ipynb": BILAL,
        "week3/Group B/cem/lstm.ipynb": OLD,
    }
    done = collected(tmp_path, groups)
    assert happened(done) == [("Group_A", "not collected"), ("Group_B", "new")]
    assert done.rows[0].why == (
        "week3/Group A/jones/lstm.ipynb and week3/Group A/smith/lstm.ipynb may be from different "
        "learners: say where the names are with --pattern, such as '(?P<student>[^/]+)/[^/]+$'"
    )
    done = collected(tmp_path, groups, pattern="(?P<student>[^/]+)/[^/]+$")
    assert happened(done) == [("cem", "new"), ("jones", "new"), ("smith", "new")]


def test_several_assignments_of_one_learner_are_no_different_learners(tmp_path: Path) -> None:
    done = collected(
        tmp_path,
        {
            "ada/gru/gru.ipynb": OLD,
            "ada/lstm/lstm.ipynb": ADA,
            "ben/gru/gru.ipynb": OLD,
            "ben/lstm/lstm.ipynb": BILAL,
        },
    )
    assert happened(done) == [("ada", "new"), ("ben", "new")]
    assert submissions(tmp_path) == {"ada/lstm/lstm.ipynb": ADA, "ben/lstm/lstm.ipynb": BILAL}


def test_a_platforms_folder_is_one_learners_whatever_lies_in_it(tmp_path: Path) -> None:
    folder = "Ada_12_assignsubmission_file_"
    done = collected(tmp_path, {f"{folder}/a/lstm.ipynb": ADA, f"{folder}/b/lstm.ipynb": OLD})
    assert happened(done) == [("Ada", "new")] and done.rows[0].in_doubt
    assert len(submissions(tmp_path)) == 2


def test_names_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as made:
        for name in ("../../evil/lstm.ipynb", "/tmp/evil/lstm.ipynb", "C:\\evil\\lstm.ipynb"):
            made.writestr(name, ADA)
        link = zipfile.ZipInfo("ada/lstm.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(link, "/etc/passwd")
        made.writestr("... /\x1b[31m<b>/lstm.ipynb", ADA)
        made.writestr("e\u0301va/../../lstm.ipynb", ADA)
        made.writestr("e\u0301va \u0928\u093f\u0936\u093e/x/lstm.ipynb", ADA)
        made.writestr("[red]/lstm.ipynb", ADA)
    path = tmp_path / "a/b/c.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(memory.getvalue())
    done = put(path, tmp_path / "a/b")
    assert sorted(submissions(tmp_path / "a/b")) == [
        "red/lstm/lstm.ipynb",
        "\u00e9va_\u0928\u093f\u0936\u093e/lstm/lstm.ipynb",
    ]
    assert {p.name for p in tmp_path.iterdir()} == {"a"}
    assert {p.name for p in (tmp_path / "a/b").iterdir()} == {"c.zip", "submitted"}
    assert len(done.ignored) == 5
    assert "ada/lstm.ipynb is a link" in done.ignored


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(ADA)
    folder = tmp_path / "out"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada/lstm.ipynb").symlink_to(secret)
    (folder / "ben").symlink_to(tmp_path)
    os.mkfifo(folder / "ada/pipe.ipynb")
    (folder / "cem.ipynb").write_bytes(BILAL)
    done = put(folder, tmp_path)
    assert submissions(tmp_path) == {"cem/lstm/lstm.ipynb": BILAL}
    assert done.ignored == ["ben is a link", "ada/lstm.ipynb is a link"]


def test_a_link_in_the_course_is_not_written_through(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "submitted").mkdir()
    (tmp_path / "submitted/ada").symlink_to(elsewhere)
    done = collected(tmp_path, {"ada.ipynb": ADA}, replace=True)
    assert [(r.outcome, r.why) for r in done.rows] == [("not collected", "the folder is a link")]
    assert not list(elsewhere.iterdir())


def test_sizes_are_counted_and_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 1 << 20)
    bomb = zipped({"lstm.ipynb": bytes(5 << 20)})
    done = collected(
        tmp_path, {"ada/lstm.ipynb": bytes(5 << 20), "ben/w.zip": bomb, "c.ipynb": ADA}
    )
    assert [(r.student, r.why) for r in done.rows] == [
        ("ada", "ada/lstm.ipynb is larger than 1 MB"),
        ("ben", "lstm.ipynb is larger than 1 MB"),
        ("c", ""),
    ]
    monkeypatch.setattr(archives, "MAX_FILES", 2)
    with pytest.raises(CourseError, match="holds more than 2 files"):
        collected(tmp_path, {f"{n}.ipynb": ADA for n in range(3)})


def bombs(size: int, name: str = "lstm.ipynb") -> bytes:
    """A small archive of three notebooks of zeros."""
    return zipped({f"{n}/{name}": bytes(size) for n in range(3)})


def of_nothing(size: int) -> bytes:
    """An archive with a file that is long to unpack and empty: blocks of no bytes."""
    raw = b"\x00\x00\x00\xff\xff" * (size // 5) + b"\x03\x00"
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as made:
        made.writestr("lstm.ipynb", raw)
        (info,) = made.filelist
        info.compress_type, info.file_size, info.CRC = zipfile.ZIP_DEFLATED, 0, 0
    return memory.getvalue()


KINDS: Mapping[str, tuple[Mapping[str, bytes], str]] = {
    "unpacked": ({"mallory/w.zip": bombs(1 << 20)}, "the files come to more than 2 MB"),
    "beside": (
        {f"mallory/{n}.ipynb": bytes(1 << 20) for n in range(3)},
        "the files come to more than 2 MB",
    ),
    "archives": (
        {f"mallory/{n}.zip": bytes(999_999) + bombs(300_000, "x.txt") for n in range(3)},
        "the files come to more than 2 MB",
    ),
    "files": ({f"mallory/{n}.txt": b"" for n in range(31)}, "there are more than 30 files"),
    "files in archives": (
        {f"mallory/{n}.zip": zipped({f"{k}.txt": b"" for k in range(15)}) for n in range(2)},
        "there are more than 30 files",
    ),
    "notebooks": (
        {f"mallory/{n}.ipynb": b"" for n in range(21)},
        "there are 21 notebooks, and it does not say which is lstm.ipynb",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_one_learner_costs_is_taken_from_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Forty who hand in what is too much: all others are collected as if these were not there, and
    what each takes up is given back before the next one's turn."""
    monkeypatch.setattr(importer, "MAX_BYTES", 2 << 20)
    monkeypatch.setattr(importer, "MAX_FILES", 30)
    honest = {"ada/lstm.ipynb": ADA, "zoe/lstm.ipynb": BILAL}
    mallorys, why = KINDS[kind]
    files = {
        path.replace("mallory", f"mallory {n}"): data
        for n in range(40)
        for path, data in mallorys.items()
    }
    taken_up = []

    def take(self: Importer, student: str, hand_ins: Sequence[HandIn]) -> Row:
        taken_up.append(list(self._scratch.iterdir()))
        return whole_take(self, student, hand_ins)

    whole_take = Importer.take
    monkeypatch.setattr(Importer, "take", take)
    done = collected(tmp_path, honest | files)
    assert submissions(tmp_path) == {"ada/lstm/lstm.ipynb": ADA, "zoe/lstm/lstm.ipynb": BILAL}
    assert {(r.outcome, r.why) for r in done.rows if "mallory" in r.student} == {
        ("not collected", why)
    }
    assert taken_up == [[]] * 42


def test_what_unpacks_to_nothing_is_counted_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = collected(tmp_path, {"ada/w.zip": of_nothing(1000), "ben.ipynb": BILAL})
    assert [row.outcome for row in done.rows] == ["new", "new"]
    monkeypatch.setattr(importer, "MAX_BYTES", 3 << 20)
    done = collected(tmp_path, {"cem/w.zip": of_nothing(2 << 20), "dan.ipynb": BILAL})
    assert [(r.outcome, r.why) for r in done.rows] == [
        ("not collected", "the files come to more than 3 MB"),
        ("new", ""),
    ]


def test_computing_time_has_a_limit_for_each_learner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mallory's first file takes all the time that there is."""
    now = [0.0]

    def copy(self: Member, target: IO[bytes], budget: Budget) -> None:
        now[0] += importer.MAX_SECONDS + 1 if "mallory" in self.path else 1
        whole_copy(self, target, budget)

    whole_copy = Member.copy
    monkeypatch.setattr(Member, "copy", copy)
    monkeypatch.setattr(importer, "Budget", partial(Budget, clock=lambda: now[0]))
    done = collected(
        tmp_path,
        {f"{name}/lstm.ipynb": ADA for name in ("ada", "mallory", "zoe")},
    )
    assert [(r.student, r.outcome, r.why) for r in done.rows] == [
        ("ada", "new", ""),
        ("mallory", "not collected", "to read the files takes more than 60 seconds"),
        ("zoe", "new", ""),
    ]


def test_long_names_and_deep_folders_cost_nothing(tmp_path: Path) -> None:
    """Each would take hours, or all memory, if its length mattered."""
    deep, spaces = "a/" * 30_000, "lstm" + " " * 60_000 + "x"
    inner = zipped({f"{spaces}.ipynb": OLD, f"{deep}lstm.ipynb": OLD, "lstm.ipynb": ADA})
    done = collected(
        tmp_path,
        {
            f"mallory/{deep}lstm.ipynb": OLD,
            f"{spaces}.ipynb": OLD,
            f"lstm{'!' * 60_000}.ipynb": OLD,
            "cem/w.zip": inner,
            "ada.ipynb": ADA,
        },
    )
    assert submissions(tmp_path) == {f"{name}/lstm/lstm.ipynb": ADA for name in ("ada", "cem")}
    assert len(done.ignored) == 3
    assert all(said.endswith("lies too deep, or its name is too long") for said in done.ignored)


def test_a_folder_that_is_too_deep_for_the_system_stops_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada/lstm.ipynb").write_bytes(ADA)
    (folder / "mallory").mkdir()
    here = os.open(folder / "mallory", os.O_RDONLY)
    for _ in range(30):  # longer than a path may be
        os.mkdir("x" * 200, dir_fd=here)
        inner = os.open("x" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    done = put(folder, tmp_path)
    assert submissions(tmp_path) == {"ada/lstm/lstm.ipynb": ADA}
    assert done.ignored and done.ignored[0].endswith("its name is too long")


def test_what_one_learner_left_is_not_listed_without_end(tmp_path: Path) -> None:
    files = {f"ada/{n}.png": b"x" for n in range(500)} | {"ada/lstm.ipynb": ADA}
    files |= {f"../{n}": b"x" for n in range(500)}
    said, reason = run(tmp_path, files)
    assert said.count("it is no notebook") == 10 and "and 490 files more" in said
    assert said.count("outside the archive") == 20 and "Not looked at: 480 files more." in said
    assert reason == "not looked at, as said above: 500 files."


def test_names_that_look_alike_are_told_apart(tmp_path: Path) -> None:
    said, _ = run(tmp_path, {"aaa.ipynb": ADA, "\u0430\u0430\u0430.ipynb": OLD})
    assert "aaa" in said and "\u0430\u0430\u0430 \u27e8Cyrillic\u27e9" in said


@pytest.mark.parametrize("spoil", ["cut", "checksum", "encrypted", "method", "nothing"])
def test_damaged_archives_are_said(tmp_path: Path, spoil: str) -> None:
    inner = bytearray(zipped({"lstm.ipynb": ADA}))
    header = inner.index(b"PK\x01\x02")
    if spoil == "cut":
        del inner[len(inner) // 2 :]
    elif spoil == "checksum":
        inner[header + 16] ^= 0xFF
        inner[14] ^= 0xFF
    elif spoil == "encrypted":
        inner[header + 8] |= 1
    elif spoil == "method":
        inner[header + 10] = 14
    else:
        inner.clear()
    done = collected(tmp_path, {"ada/w.zip": bytes(inner), "ben.ipynb": BILAL})
    assert [row.outcome for row in done.rows] == ["not collected", "new"]
    assert submissions(tmp_path) == {"ben/lstm/lstm.ipynb": BILAL}


def test_no_damage_to_one_learners_archive_costs_another(tmp_path: Path) -> None:
    """Bytes of archives changed by chance, and an archive with a file that has no name."""
    chance = random.Random(0)
    inner = zipped({"lstm.ipynb": ADA, "caf\u00e9.txt": b"x", "a/b.txt": b"x" * 99})
    structure = [n for n in range(len(inner)) if n < 60 or n > len(inner) - 330]
    files = {"ada.ipynb": ADA, "zoe.ipynb": BILAL}
    for number in range(400):
        spoilt = bytearray(inner)
        for place in chance.sample(structure, chance.choice((1, 2, 5))):
            spoilt[place] = chance.choice((0, 0xFF, chance.randrange(256)))
        files[f"mallory {number}/w.zip"] = bytes(spoilt)
    place, end = inner.rindex(b"PK\x01\x02"), inner.rindex(b"PK\x05\x06")
    nameless = inner[: place + 28] + b"\0\0" + inner[place + 30 : place + 46] + inner[place + 53 :]
    size = struct.pack("<I", struct.unpack("<I", inner[end + 12 : end + 16])[0] - 7)
    end -= 7
    files["nameless/w.zip"] = nameless[: end + 12] + size + nameless[end + 16 :]
    done = collected(tmp_path, files)
    rows = {row.student: row for row in done.rows}
    assert rows["ada"].outcome == rows["zoe"].outcome == rows["nameless"].outcome == "new"
    spoilt_rows = [row for row in done.rows if "mallory" in row.student]
    assert len(spoilt_rows) == 400
    assert {row.outcome for row in spoilt_rows} == {"new", "not collected"}


def test_who_handed_in_no_notebook_is_named(tmp_path: Path) -> None:
    done = collected(
        tmp_path,
        {
            "Ada_1234_assignsubmission_file_/report.pdf": b"%PDF",
            "B_1235_assignsubmission_onlinetext_/onlinetext.html": b"hi",
            "grades.csv": b"a,b",
            "lstm (2).ipynb": ADA,
            ".DS_Store": b"x",
        },
    )
    assert [(r.student, r.outcome) for r in done.rows] == [
        ("Ada", "not collected"),
        ("B", "not collected"),
    ]
    assert done.unmatched == ["grades.csv", "lstm (2).ipynb"]


def test_it_stops_where_there_is_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"nothing could be matched .*there is lstm\.ipynb"):
        collected(tmp_path, {"lstm.ipynb": ADA})
    with pytest.raises(CourseError, match="it holds no files"):
        collected(tmp_path, {})
    (tmp_path / "a.zip").write_bytes(b"hello")
    for path, reason in ((tmp_path / "a.zip", "is no zip"), (tmp_path / "b.zip", "cannot be open")):
        with pytest.raises(CourseError, match=reason):
            put(path, tmp_path)
    assert not (tmp_path / "submitted").exists()


def test_a_copy_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected(tmp_path, {"ada.ipynb": OLD})
    rename = Path.rename

    def fail_once(self: Path, target: Path) -> Path:
        if target.parent.name == "ada" and self.parent.name != "ada" and not moved:
            moved.append(1)
            raise OSError(28, "No space left on device")
        return rename(self, target)

    moved: list[int] = []
    monkeypatch.setattr(Path, "rename", fail_once)
    done = collected(tmp_path, {"ada.ipynb": ADA, "ben.ipynb": BILAL}, replace=True)
    assert [(r.outcome, r.why) for r in done.rows] == [
        ("not collected", "No space left on device"),
        ("new", ""),
    ]
    assert submissions(tmp_path) == {"ada/lstm/lstm.ipynb": OLD, "ben/lstm/lstm.ipynb": BILAL}


def test_the_command_prints_a_table(tmp_path: Path) -> None:
    course = tmp_path / "course"
    course.mkdir()
    path = tmp_path / "out.zip"
    path.write_bytes(zipped({"Ada L_1234_assignsubmission_file_/lstm.ipynb": ADA, "x.txt": b"x"}))
    command = [sys.executable, "-m", "rnncourse", "collect", str(path), "lstm"]
    done = subprocess.run(
        [*command, "--course", str(course)],
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Ada_L" in done.stdout and "new" in done.stdout
    assert "Belongs to no learner: x.txt." in done.stdout
    assert (course / "submitted/Ada_L/lstm/lstm.ipynb").read_bytes() == ADA


def run(tmp_path: Path, files: Mapping[str, bytes], everybody: bool = False) -> tuple[str, str]:
    """What the command prints, and the sentence that it ends with."""
    course = tmp_path / "course"
    course.mkdir(exist_ok=True)
    path = tmp_path / "out.zip"
    path.write_bytes(zipped(files))
    console = Console(file=io.StringIO(), width=200)
    try:
        collect_archive(path, "lstm", course, console, everybody=everybody)
        reason = ""
    except CourseError as error:
        reason = str(error)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue(), reason


def test_the_table_has_a_line_for_each_file(tmp_path: Path) -> None:
    said, reason = run(
        tmp_path, {"ada/lstm.ipynb": OLD, "ada/lstm (1).ipynb": ADA, "ada/plot.png": b"x"}
    )
    assert "not taken: ada/lstm (1).ipynb counts as later" in said
    assert "ada/plot.png" in said and "not taken: it is no notebook" in said
    assert not reason


def test_what_needs_a_look_is_said_at_the_end(tmp_path: Path) -> None:
    _, reason = run(tmp_path, {"ada/a.ipynb": ADA, "ada/b.ipynb": OLD, "../x.ipynb": OLD})
    assert reason == (
        "several notebooks, which the grader may refuse: ada. Not looked at, as said above: 1 file."
    )


def test_the_command_fails_in_one_sentence(tmp_path: Path) -> None:
    console = Console(file=io.StringIO())
    path = tmp_path / "out.zip"
    path.write_bytes(zipped({"[bold]/x.pdf": b"x"}))
    for assignment, folder, reason in (
        ("lsmt", tmp_path, "there is no assignment called lsmt"),
        ("lstm", tmp_path / "nowhere", "there is no folder"),
        ("lstm", tmp_path, "1 learner handed in no notebook: bold"),
    ):
        with pytest.raises(CourseError, match=reason):
            collect_archive(path, assignment, folder, console)


def test_learners_without_a_notebook_are_counted_and_named(tmp_path: Path) -> None:
    folder = "{}_assignsubmission_file_/"
    files = moodle("Ada_10") | {
        folder.format("Ben_11") + "a.pdf": b"%PDF",
        folder.format("Cem_12") + "a.py": b"x",
        folder.format("Dan_13"): b"",
        folder.format("Ada_10"): b"",
    }
    said, reason = run(tmp_path, files)
    assert reason == "3 learners handed in no notebook: Ben, Cem, Dan."
    assert "Dan_13_assignsubmission_file_" in said and "the folder is empty" in said


def test_who_could_be_another_is_named_at_the_end(tmp_path: Path) -> None:
    _, reason = run(tmp_path, {"x/ada/lstm.ipynb": ADA, "x/ben/lstm.ipynb": OLD, "y/c.pdf": b"x"})
    assert reason == ("not collected: x; the table says why. 1 learner handed in no notebook: y.")


def test_an_empty_folder_in_a_folder_is_named_too(tmp_path: Path) -> None:
    for name in ("Ada_10", "Ben_11"):
        (tmp_path / f"out/{name}_assignsubmission_file_").mkdir(parents=True)
    (tmp_path / "out/Ada_10_assignsubmission_file_/lstm.ipynb").write_bytes(ADA)
    done = put(tmp_path / "out", tmp_path)
    assert happened(done) == [("Ada", "new"), ("Ben", "not collected")]


def test_of_a_large_class_only_what_is_odd_is_listed(tmp_path: Path) -> None:
    files = moodle(*(f"Learner{n}_{n + 100}" for n in range(50)))
    files["Zoe_99_assignsubmission_file_/a.pdf"] = b"%PDF"
    files["Yan_98_assignsubmission_file_/lstm.ipynb"] = ADA
    files["Yan_98_assignsubmission_file_/lstm (1).ipynb"] = OLD
    said, reason = run(tmp_path, files)
    assert "Learner7" not in said and "Zoe" in said and "Yan" in said
    assert "what happened" in said and "\n51 new, 1 not collected.\n" in said
    assert "50 that are plain; --all lists all" in said
    assert reason == "1 learner handed in no notebook: Zoe."
    said, _ = run(tmp_path, files, everybody=True)
    assert "Learner7" in said and "51 there already, 1 not collected." in said
