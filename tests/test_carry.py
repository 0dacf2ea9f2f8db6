"""Exercises that a later notebook takes over: the learner's own, else torch's, said in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import rnncourse.lstm
from rnncourse import carry_over
from rnncourse._exercise import FillError, UnfilledError, find
from tools.demonstration.learners import filled, solutions

NUMBERS = [torch.rand(s) for s in ((2, 3), (2, 4), (2, 4), (16, 3), (16, 4), (16,), (16,))]


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a later notebook, in a workspace with a solved lstm.ipynb."""
    for name in ("lstm", "later"):
        (tmp_path / name).mkdir()
    (tmp_path / "lstm/lstm.ipynb").write_text(filled(solutions()), encoding="utf-8")
    monkeypatch.chdir(tmp_path / "later")
    return tmp_path / "lstm/lstm.ipynb"


def test_the_learners_own_function_is_taken(
    beside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    carry_over("lstm_cell")
    assert capsys.readouterr().out == "lstm_cell: yours, from lstm.ipynb.\n"
    assert find("lstm_cell").filled is not None and find("lstm_layer").filled is None
    own = rnncourse.lstm.lstm_cell(*NUMBERS)
    x, h, c, *weights = NUMBERS
    assert torch.allclose(own[0], torch.lstm_cell(x, (h, c), *weights)[0], atol=1e-5)
    carry_over("lstm_cell")
    assert capsys.readouterr().out == "lstm_cell: yours, from this notebook.\n"


def test_what_does_not_pass_gives_way_to_torchs(
    beside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = solutions() | {
        "lstm_cell": "@fill\ndef lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):\n    return h, c"
    }
    beside.write_text(filled(answers), encoding="utf-8")
    carry_over("lstm_cell")
    said = capsys.readouterr().out
    assert said == "lstm_cell: torch's, as yours in lstm.ipynb does not pass its checks yet.\n"
    x, h, c, *weights = NUMBERS
    got = rnncourse.lstm.lstm_cell(x, h, c=c, **dict(zip(NAMES, weights, strict=True)))
    assert torch.allclose(got[0], torch.lstm_cell(x, (h, c), *weights)[0], atol=1e-5)


NAMES = ("w_ih", "w_hh", "b_ih", "b_hh")


def test_without_a_notebook_it_is_torchs_or_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    carry_over("lstm_layer", "pack_gates")
    layer, pack = capsys.readouterr().out.splitlines()
    assert layer == "lstm_layer: torch's, as there is no notebook of yours beside this one."
    assert pack.startswith("pack_gates: not filled in: there is no notebook of yours")
    assert pack.endswith("Do lstm.ipynb first.")
    with pytest.raises(UnfilledError):
        rnncourse.lstm.pack_gates(*[torch.rand(2, 5)] * 4, *[torch.rand(2)] * 4)


@pytest.mark.parametrize("content", ["", "{", json.dumps({"cells": 3}), "[]"])
def test_a_broken_notebook_is_no_obstacle(
    beside: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    beside.write_text(content, encoding="utf-8")
    carry_over("lstm_cell")
    assert "torch's, as yours in lstm.ipynb is not filled in" in capsys.readouterr().out


def test_nothing_but_definitions_is_run(beside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = json.loads(beside.read_text("utf-8"))
    own = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    notebook["cells"] += [own | {"source": "open('left', 'w')\n1 / 0"}, own | {"source": "%magic"}]
    beside.write_text(json.dumps(notebook), encoding="utf-8")
    carry_over("lstm_cell")
    assert "yours, from lstm.ipynb" in capsys.readouterr().out
    assert not Path("left").exists()


def test_a_wrong_name_is_told() -> None:
    with pytest.raises(FillError, match="did you mean lstm_cell"):
        carry_over("lstm_cel")
