"""Archives that want out of their folder, into others' folders, or into all of the memory."""

from __future__ import annotations

import io
import json
import re
import stat
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rnncourse.grading.kernel import with_missing_kernel
from tools.demonstration.learners import ROOT

from .attack import honest

Fill = Callable[[zipfile.ZipFile], None]

RIGHT = json.dumps(honest())
FORGED = json.dumps(honest() | {"metadata": {"forged": True}})


def collect(tmp_path: Path, archive: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run `rnncourse collect`."""
    course = tmp_path / "course"
    course.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "rnncourse", "collect", str(archive), "lstm"]
    return subprocess.run(
        [*command, "--course", str(course), *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def zipped(tmp_path: Path, fill: Fill) -> Path:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ada/lstm/lstm.ipynb", RIGHT)
        archive.writestr("zoe/lstm/lstm.ipynb", RIGHT)
        archive.writestr("linked/lstm/lstm.ipynb", RIGHT)
        fill(archive)
    return path


def outside(archive: zipfile.ZipFile) -> None:
    for name in (
        "../pwned.ipynb",
        "../../course/gradebook.db",
        "/tmp/pwned.ipynb",
        "mallory/../../pwned/lstm.ipynb",
        "mallory/lstm/../../../../pwned.ipynb",
        "..\\pwned\\lstm.ipynb",
        "C:\\pwned\\lstm.ipynb",
        "\\\\server\\pwned\\lstm.ipynb",
        "mallory\x00/../../pwned.ipynb",
        "./././../pwned/lstm.ipynb",
        "~/pwned.ipynb",
    ):
        archive.writestr(name, RIGHT)


def links(archive: zipfile.ZipFile) -> None:
    for name, target in (
        ("mallory/lstm/lstm.ipynb", "../../../gradebook.db"),
        ("mallory/lstm", "../ada/lstm"),
        ("ada", "/tmp"),
    ):
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, target)


def bomb(archive: zipfile.ZipFile) -> None:
    with archive.open("bomber/lstm/lstm.ipynb", "w", force_zip64=True) as file:
        for _ in range(400):
            file.write(bytes(1 << 20))


def bomb_in_a_bomb(archive: zipfile.ZipFile) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as nested:
        nested.writestr("lstm.ipynb", bytes(300 << 20))
        nested.writestr("../../pwned.ipynb", RIGHT)
    archive.writestr("nester/lstm.zip", inner.getvalue())


def bombs_in_a_zip(archive: zipfile.ZipFile) -> None:
    """130 kB that become 9 GB."""
    size = 195 << 20
    packer = zlib.compressobj(1, wbits=-15)
    checksum = zlib.crc32(bytes(size))
    raw = b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as nested:
        for n in range(45):
            nested.writestr(f"{n}.ipynb" if n % 3 else f"lstm {n}/lstm.ipynb", raw)
            info = nested.filelist[-1]
            info.compress_type, info.file_size, info.CRC = zipfile.ZIP_DEFLATED, size, checksum
    archive.writestr("many/work.zip", inner.getvalue())


def many_files(archive: zipfile.ZipFile) -> None:
    for k in range(50_001):
        archive.writestr(f"mallory/{k}.ipynb", "")


def names(archive: zipfile.ZipFile) -> None:
    for name in (
        "\x1b]0;owned\x07\x1b[2J",
        "[/bold][link=file:///etc/passwd]x",
        "<script>pwned()</script>",
        "\u202eright to left",
        "two\nlines",
        "=cmd|' C'!A0",
        "-rf",
        "seed",
        ".git",
        "a" * 300,
        "\U0001f600" * 100,
        "CON",
    ):
        archive.writestr(f"{name}/lstm.ipynb", RIGHT)


def equal_names(archive: zipfile.ZipFile) -> None:
    """Learners whose folders would be one."""
    for name in ("ADA", "ada ", "ada.", "Ada", "ad\u200ba"):
        archive.writestr(f"{name}/lstm.ipynb", FORGED)


def as_somebody_else(archive: zipfile.ZipFile) -> None:
    """Files in mallory's own folder whose names are those of other learners' files."""
    archive.writestr("mallory/absent_12345_67890_lstm.ipynb", FORGED)
    archive.writestr("mallory/absent too_123_assignsubmission_file_/lstm.ipynb", FORGED)
    archive.writestr("mallory/ada_12345_67890_lstm.ipynb", FORGED)
    archive.writestr("mallory/ada/lstm.ipynb", FORGED)


FILLS = (outside, links, bomb, bomb_in_a_bomb, bombs_in_a_zip, names, equal_names, as_somebody_else)


@dataclass(frozen=True)
class Taken:
    """What came of an archive."""

    folder: Path
    done: subprocess.CompletedProcess[str]

    @property
    def submitted(self) -> Path:
        return self.folder / "course" / "submitted"

    @property
    def found(self) -> list[Path]:
        return list(self.submitted.rglob("*"))


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    folder = tmp_path_factory.mktemp("collected")

    def all_of_them(archive: zipfile.ZipFile) -> None:
        for fill in FILLS:
            fill(archive)

    submitted, elsewhere = folder / "course" / "submitted", folder / "elsewhere"
    submitted.mkdir(parents=True)
    elsewhere.mkdir()
    (submitted / "linked").symlink_to(elsewhere)
    done = collect(folder, zipped(folder, all_of_them), "--replace")
    (submitted / "linked").unlink()
    return Taken(folder, done)


def test_the_command_ends_and_prints_no_escapes(taken: Taken) -> None:
    assert "Traceback" not in taken.done.stderr, taken.done.stderr
    assert taken.done.returncode in (0, 1)
    said = taken.done.stdout + taken.done.stderr
    assert "\x1b]" not in said and "\x1b[2J" not in said and "\u202e" not in said


def test_nothing_lies_outside(taken: Taken) -> None:
    assert {path.name for path in taken.folder.iterdir()} == {"archive.zip", "course", "elsewhere"}
    course = taken.folder / "course"
    assert {path.name for path in course.iterdir()} <= {"submitted", ".grading.lock"}
    for place in (Path("/tmp"), ROOT, ROOT.parent, Path.home()):
        assert not list(place.glob("pwned*"))


def test_there_are_no_links_and_no_strange_names(taken: Taken) -> None:
    assert taken.found
    for path in taken.found:
        inside = path.relative_to(taken.submitted).parts
        assert not path.is_symlink() and not path.name.startswith((".", "-", "="))
        assert len(inside) <= 3 and (len(inside) < 2 or inside[1] == "lstm"), path
        assert path.name.isprintable() and not set(path.name) & set("<>[]|'\"\\"), path


def test_what_unpacks_to_gigabytes_is_left_out(taken: Taken) -> None:
    assert sum(path.stat().st_size for path in taken.found if path.is_file()) < 220 << 20
    assert "the files come to more than 512 MB" in re.sub(r"[\s│]+", " ", taken.done.stdout)


def test_others_files_are_taken_but_for_their_kernel(taken: Taken) -> None:
    right = with_missing_kernel(RIGHT.encode())
    assert (taken.submitted / "zoe" / "lstm" / "lstm.ipynb").read_bytes() == right
    adas = [path for path in taken.found if path.parts[-3:-1] == ("ada", "lstm")]
    assert [path.read_bytes() for path in adas] in ([right], [])


def test_nobody_hands_in_for_another(taken: Taken) -> None:
    """Whose a file is depends on the folder that the platform made, not on names inside it."""
    owners = {path.name for path in taken.submitted.iterdir()}
    assert not {name for name in owners if name.startswith(("absent", "ada_1"))}


def test_too_many_files_of_one_learner_cost_nobody_else(tmp_path: Path) -> None:
    done = collect(tmp_path, zipped(tmp_path, many_files))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "not collected: mallory;" in done.stderr
    submitted = tmp_path / "course" / "submitted"
    assert {path.name for path in submitted.iterdir()} == {"ada", "zoe", "linked"}


def test_no_link_is_followed_in_the_course(taken: Taken) -> None:
    assert list((taken.folder / "elsewhere").iterdir()) == []
