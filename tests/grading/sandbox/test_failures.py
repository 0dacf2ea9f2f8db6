"""Cells that fail, on the grader's machine only or anywhere: what runs all the same, and what is
said where a name is missing for it."""

from __future__ import annotations

import pytest

from rnncourse._notebook import Cell
from rnncourse._tracing import LEFT_OUT, MAX_LENGTH, Failures
from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.sandbox.job import ClassCalls, Run
from tests.grading.sandboxes import needs_sandbox

START = "import torch\nfrom rnncourse import check, fill"
IMPORT = "import torch.nn.functional as F"
USES = """
@fill
def set_forget_bias(b_ih, b_hh, value):
    return F.relu(b_ih), b_hh
"""
EXERCISE = "set_forget_bias"
ONLY_HERE = {
    "a drive": "from google.colab import drive\ndrive.mount('/content/drive')",
    "a package": "!pip install wonderful\nimport wonderful",
    "a magic package": "%pip install wonderful\nimport wonderful",
    "a silent package": "%%capture\n!pip install wonderful\nimport wonderful",
    "a package by the clock": "%%time\nx = 1\nimport wonderful",
    "an extension": "%load_ext wonderful",
    "an unknown magic": "%wonderful",
    "input": "name = input('Who are you?')",
    "a file": "words = open('/content/words.txt').read()",
    "a folder": "import os\nos.chdir('/content')",
    "the network": "from urllib.request import urlopen\nurlopen('https://example.org')",
    "a GPU": "x = torch.ones(2).cuda()",
}


def ran(worker: Worker, *cells: str) -> Run:
    return worker.run([START, *cells], ClassCalls({EXERCISE: {}}, {EXERCISE: ()}))


def printed_last(run: Run) -> str:
    return run.cells[-1].error or run.cells[-1].output


@needs_sandbox
@pytest.mark.parametrize("kind", ONLY_HERE)
def test_what_follows_a_line_that_fails_only_here_is_run(worker: Worker, kind: str) -> None:
    run = ran(worker, f"{ONLY_HERE[kind]}\n{IMPORT}", USES, "print(F.__name__)")
    assert run.cells[1].error
    assert printed_last(run) == "torch.nn.functional\n"
    assert run.undefined == {}


@needs_sandbox
@pytest.mark.parametrize(
    "line, there",
    [
        ("import math as mine", True),
        ("from math import (\n    pi as mine,\n    e)", True),
        ("def mine(): return 1", True),
        ("class mine:\n    x = 1", True),
        ("mine = 4 * 8", True),
        ("mine = -1.5", True),
        ("mine, other = 'a', [1, (2, {3: None})]", True),
        ("mine: int = 3", True),
        ("mine = torch.sigmoid", True),
        ("mine = lambda x: x + 1", True),
        ("try:\n    import math as mine\nexcept ImportError:\n    pass", True),
        ("mine = torch.ones(2)", False),
        ("mine = [torch.ones(2)]", False),
        ("mine = [n for n in range(3)]", False),
        ("mine = missing", False),
        ("for mine in range(3): pass", False),
        ("torch.mine = 1", False),
        ("print('ran'); mine = 1", True),
    ],
)
def test_of_what_follows_only_imports_and_definitions_run(
    worker: Worker, line: str, there: bool
) -> None:
    ask = "print('mine' in globals(), hasattr(torch, 'mine'))"
    run = ran(worker, f"print('before')\nimport wonderful\n{line}\nprint('after')", ask)
    assert run.cells[1].output == "before\n"
    assert printed_last(run) == f"{there} False\n"


@needs_sandbox
@pytest.mark.parametrize("magic", ["", "%%time\n", "%%capture\n"])
def test_the_line_that_failed_does_not_run_twice(worker: Worker, magic: str) -> None:
    count = "try:\n    times += 1\nexcept NameError:\n    times = 1\n"
    fails = "def wonderful(x=open(f'/content/{globals().update(tried=times)}')): pass\n"
    run = ran(worker, f"{magic}{count}{fails}{IMPORT}", "print(times, tried, 'F' in globals())")
    assert printed_last(run) == "1 1 True\n"


@needs_sandbox
def test_what_a_cell_that_fails_everywhere_would_define_anew_stays_as_it_was(
    worker: Worker,
) -> None:
    twice = "def f(): return 'second'\nnew = 1"
    for fails, then in (("assert 1 == 2", "first"), ("import wonderful", "second")):
        run = ran(worker, "def f(): return 'first'", f"{fails}\n{twice}", "print(f(), new)")
        assert printed_last(run) == f"{then} 1\n"


@needs_sandbox
@pytest.mark.parametrize("line", ["exit()", "import sys; sys.exit()"])
def test_a_cell_that_ends_itself_has_ended(worker: Worker, line: str) -> None:
    assert "NameError" in printed_last(ran(worker, f"{line}\n{IMPORT}", "print(F)"))


@needs_sandbox
@pytest.mark.parametrize(
    "cells",
    [
        (USES,),
        ("def helper(x):\n    return F.relu(x)", USES.replace("F.relu", "helper")),
        (
            "class Helper:\n    def on(self, x):\n        return F.relu(x)",
            USES.replace("F.relu(b_ih)", "Helper().on(b_ih)"),
        ),
        (USES.replace("return F.relu(b_ih), b_hh", "return [F.relu(b) for b in (b_ih, b_hh)]"),),
    ],
    ids=["itself", "a function", "a class", "a comprehension"],
)
def test_a_name_that_an_exercise_looks_up_in_vain_is_known_before_it_is_called(
    worker: Worker, cells: tuple[str, ...]
) -> None:
    assert ran(worker, *cells).undefined == {EXERCISE: "F"}
    assert ran(worker, IMPORT, *cells).undefined == {}
    assert ran(worker, *cells, IMPORT).undefined == {}


@needs_sandbox
def test_names_of_its_own_and_of_python_are_not_missed(worker: Worker) -> None:
    own = "@fill\ndef set_forget_bias(b_ih, b_hh, value):\n    F = len(b_ih)\n    return F, print"
    assert ran(worker, own).undefined == {}
    assert ran(worker, "x = 1").undefined == {}


# ------------------------------------------------------------------ the reason, in words


def failures(*cells: tuple[str, str], names: tuple[str, ...] = ("",) * 10) -> Failures:
    """Of cells, each a source and its error."""
    whole = [Cell(name, source) for name, (source, _) in zip(names, cells, strict=False)]
    return Failures(whole, {n: error for n, (_, error) in enumerate(cells)})


@pytest.mark.parametrize(
    "source",
    [
        "import torch.nn.functional as F",
        "import F",
        "from somewhere import F, G",
        "from somewhere import (\n    E,\n    F,\n)",
        "F = load()",
        "E, F = load()",
        "(E, F) = load()",
        "F: Module = load()",
        "def F(x): ...",
        "  class F: ...",
        "with open('a') as F: ...",
        "for F in range(3): ...",
    ],
)
def test_a_name_is_traced_to_the_cell_that_should_have_defined_it(source: str) -> None:
    found = failures(("x = 1", ""), (f"\n{source}", "OSError: no"), ("F = 2", "later"))
    first = source.strip().partition("\n")[0]
    said = f"F is not defined: the cell “{first}” ended with OSError: no"
    assert found.why_undefined("F") == said


@pytest.mark.parametrize(
    "source",
    ["print(F)", "x.F = 1", "x = y.F", "F == 3", "call(a, F=3)", "FF = 1", "", "x = F(1)"],
)
def test_a_cell_that_only_uses_a_name_is_not_blamed(source: str) -> None:
    assert failures((source, "OSError: no")).why_undefined("F") == ""


def test_a_cell_that_was_left_out_is_named_too() -> None:
    found = failures(("F = load()", f"{LEFT_OUT}: it waited"))
    assert found.why_undefined("F") == (
        "F is not defined: the cell “F = load()” is left out: it waited"
    )


def test_one_error_that_leads_to_another_is_followed_to_the_first() -> None:
    found = failures(
        ("import drive", "ModuleNotFoundError: no drive"),
        ("model = drive.load()", "NameError: name 'drive' is not defined, in the line:  model"),
        ("print(typo)", "NameError: name 'typo' is not defined"),
        names=("", "model", ""),
    )
    drive = "drive is not defined: the cell “import drive” ended with ModuleNotFoundError: no drive"
    assert found.errors[1].endswith(f"in the line:  model ({drive})")
    assert found.why_undefined("model") == (
        f"model is not defined: the cell model ended with {found.errors[1]}"
    )
    assert found.errors[2] == "NameError: name 'typo' is not defined"


def test_a_long_row_of_errors_is_cut() -> None:
    error = "NameError: name 'x{}' is not defined"
    row = [(f"x{n} = x{n - 1}", error.format(n - 1)) for n in range(1, 9)]
    found = failures(("x0 = y", "OSError: no"), *row, ("x9 = x8", error.format(8) + "z" * 900))
    assert len(found.errors[9]) == len(found.why_undefined("x9")) == MAX_LENGTH
