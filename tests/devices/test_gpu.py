"""The table of notebooks on a GPU: it is fresh, and tells what became of each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from rnncourse._device import VARIABLE
from rnncourse._exercise import CHAPTERS
from tools import gpu

NOT_YET = "Not yet run on a GPU.\n"


def written(folder: Path, name: str, *cells: str) -> Path:
    """A notebook of these code cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder / f"{name}.ipynb"


def test_the_table_names_every_notebook_or_says_that_there_is_none() -> None:
    text = gpu.TABLE.read_text("utf-8")
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")][1:]
    lessons = [f"lesson-{path.stem}" for path in gpu.ROOT.glob("book/*.md")]
    expected = {*CHAPTERS, *(name for name in rows if name in lessons)}
    assert text == NOT_YET or set(rows) == expected


@pytest.mark.parametrize("named", ["cpu", "banana"])
def test_without_a_gpu_it_says_so_and_writes_nothing(named: str, tmp_path: Path) -> None:
    table = tmp_path / "gpu.md"
    command = [sys.executable, "-m", "tools.gpu", "--table", str(table)]
    environment = os.environ | {VARIABLE: named}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=gpu.ROOT)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("tools.gpu: ") and VARIABLE in done.stderr
    assert not table.exists()


def test_each_notebook_is_run_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stored").mkdir()
    (tmp_path / "stored/far.json").write_text("{}")
    paths = [
        written(tmp_path, "fine", "assert open('stored/far.json').read() == '{}'"),
        written(tmp_path, "mixed", "x = 1", "raise RuntimeError('two devices | cpu')\n"),
    ]
    demonstration = "from rnncourse._exercise import demo\nwith demo():\n    1 / 0"
    runs = list(gpu.run_all([*paths, written(tmp_path, "hidden", demonstration)]))
    assert [run.error for run in runs[:2]] == ["", "RuntimeError: two devices | cpu"]
    assert "ZeroDivisionError" in runs[2].error
    said = gpu.table(runs, "a GPU")
    assert said.startswith("Run on a GPU, on 20") and said.count("\n| ") == 4
    assert "| ran |" in said and "| RuntimeError: two devices / cpu |" in said
    assert capsys.readouterr().out.count("\n") == 3
