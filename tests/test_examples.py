"""The examples in docstrings: each public function and class has one, and it is right."""

from __future__ import annotations

import doctest
import functools
import importlib
import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import matplotlib as mpl
import pytest
import rich.progress
from IPython.core.interactiveshell import InteractiveShell

import rnncourse
from rnncourse import data, glove, grading, nn, plots, train
from rnncourse._exercise import exercises
from tools.answers import solution

PACKAGE = Path(rnncourse.__file__).parent
MODULES = (rnncourse, data, glove, grading, nn, plots, train)
NOT_RUN = ["rnncourse.grading.grade"]
"""It needs a sandbox: tests/grading/test_api.py runs it."""


def offered(module: ModuleType) -> list[str]:
    """A module's public functions and classes: those in its __all__, else those it defines."""
    defined = [
        name
        for name, value in vars(module).items()
        if (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
        and not name.startswith("_")
    ]
    listed = getattr(module, "__all__", defined)
    return [name for name in listed if callable(getattr(module, name))]


STUBS = {f"rnncourse.{entry.chapter}.{name}": entry.stub for name, entry in exercises().items()}
PUBLIC = STUBS | {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in MODULES
    for name in offered(module)
}
"""What learners and authors of scripts meet, by the names under which they import it."""

UNFILLED = [f"rnncourse.{name}" for name in offered(rnncourse)]
"""Their examples begin with empty exercises; those of all others run on the solutions."""


def examples(name: str) -> list[doctest.DocTest]:
    """Those of a public object and of its methods. They know it and import the rest."""
    alone = {name.rpartition(".")[2]: PUBLIC[name]}
    found = doctest.DocTestFinder().find(PUBLIC[name], name, module=False, globs=alone)
    return [test for test in found if test.examples]


@functools.cache
def others() -> dict[str, doctest.DocTest]:
    """The examples of everything else in the package."""
    public = tuple(f"{thing.__module__}.{thing.__qualname__}" for thing in PUBLIC.values())
    files = [file for file in PACKAGE.rglob("*.py") if ">>> " in file.read_text(encoding="utf-8")]
    names = [".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in files]
    modules = [importlib.import_module(name.removesuffix(".__init__")) for name in names]
    return {
        test.name: test
        for module in modules
        for test in doctest.DocTestFinder().find(module)
        if test.examples and not f"{test.name}.".startswith(tuple(f"{name}." for name in public))
    }


@pytest.fixture(autouse=True)
def in_a_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In an empty folder, outside notebooks and the book, without colours and progress bars."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setattr(InteractiveShell, "initialized", lambda: False)
    monkeypatch.setitem(sys.modules, "myst_nb", None)
    bar = functools.partial(rich.progress.Progress, disable=True)
    monkeypatch.setattr(rich.progress, "Progress", bar)
    with mpl.rc_context():
        yield


def run(tests: Sequence[doctest.DocTest]) -> None:
    """Fail with what doctest says of the first examples that are wrong.

    An example may show the start of what is printed, and three points for the rest.
    """
    for test in tests:
        said: list[str] = []
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
        if said:
            pytest.fail("".join(said), pytrace=False)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_object_has_an_example_that_is_right(name: str) -> None:
    tests = examples(name)
    own = [example for test in tests if test.name == name for example in test.examples]
    assert own, f"{name} has no example in its docstring"
    skipped = [example for example in own if example.options.get(doctest.SKIP)]
    assert bool(skipped) == (name in NOT_RUN), f"{name}: which of its examples are run?"
    if name not in UNFILLED:
        for exercise, entry in exercises().items():
            entry.filled = solution(exercise)
    run(tests)


@pytest.mark.parametrize("name", others())
def test_an_example_elsewhere_is_right(name: str) -> None:
    run([others()[name]])
