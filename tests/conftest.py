"""What all tests share."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from rnncourse._exercise import CHAPTERS, exercises
from tests import strength
from tests.browser import PROGRAMS, Open, launch, program, visits

NO_SKIP = "RNNCOURSE_NO_SKIP"
"""Set in CI: there a test that cannot run is a test that failed."""

FIRST = (
    "tests/book/test_figures.py",
    "tests/test_notebooks.py",
    "tests/test_terminal.py",
    "tests/test_bench.py",
    "tests/grading/attacks/",
    "tests/grading/",
    "tests/book/",
)
"""Where a run begins: one process builds the site, for which others need not wait, and none has a
long file left when the others are done."""

RUN_NOTEBOOKS = (
    "tests/test_notebooks.py",
    "tests/devices/test_notebooks.py",
    "tests/book/test_devices.py",
)
ALONE = {*CHAPTERS, "sequences", "conventions"}
"""Chapters whose notebooks may be run by different processes."""

HANGS_SECONDS = 20 * 60
"""After which a test hangs, with what it prepares; many times what a busy machine needs."""


gc.disable()  # until all modules are imported: nothing of them is ever garbage


def pytest_collection_finish() -> None:
    """Collect garbage from here on, and among what is made from here on only."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[None]:  # the value of a wrapper is the report
    report = yield
    if report.skipped and os.environ.get(NO_SKIP) == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped, which {NO_SKIP}=1 forbids: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:  # its value is the hook's
    """End a test that hangs, with what it prepares."""
    if not hasattr(signal, "alarm"):
        return (yield)

    def end(*_: object) -> None:
        pytest.fail(f"{item.nodeid} has not ended within {HANGS_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(HANGS_SECONDS)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the files in the order of FIRST, and leave out what is only done at full strength."""
    items.sort(key=_rank)
    lengthy = [item for item in items if item.get_closest_marker("only_long")]
    for item in lengthy:
        item.add_marker("long")
    if lengthy and not strength.full():
        config.hook.pytest_deselected(items=lengthy)
        items[:] = [item for item in items if item not in set(lengthy)]


def _rank(item: pytest.Item) -> int:
    file = item.location[0]
    return next((k for k, start in enumerate(FIRST) if file.startswith(start)), len(FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores, as tests also wait; not many, as each takes a gigabyte."""
    return min(4, os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file in one process, as they share its fixtures."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByFile(config, log)


def group_of(nodeid: str) -> str:
    """Its file; the tests that run notebooks also their notebook, which takes a while."""
    file, _, name = nodeid.partition("::")
    parameter = name.partition("[")[2].removesuffix("]")
    one_notebook = file in RUN_NOTEBOOKS and parameter.removeprefix("book/") in ALONE
    return f"{file} {parameter}" if one_notebook else file


@pytest.fixture(autouse=True)
def empty_stubs() -> Iterator[None]:
    """Every test starts with stubs that nobody has filled, and leaves them so."""
    yield
    for entry in exercises().values():
        entry.filled = None


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if program() is None:
        pytest.skip(f"no browser here: one of {', '.join(PROGRAMS)} is needed")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """A function that opens an address: `visit(address, width=390, theme="dark", script=True)`."""
    with visits(browser) as open_page:
        yield open_page


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C interrupts, also where whoever runs the tests in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
