"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, sync_playwright

from rnncourse.exercise import exercises
from tests.browser import PROGRAMS, Open, Visit, launch, listen, program

NO_SKIP = "RNNCOURSE_NO_SKIP"
"""Set in CI: there a test that cannot run is a test that failed."""

LONGEST = ("tests/book/", "tests/test_notebooks.py", "tests/grading/attacks/")
"""Where a run begins, so that no process has a long file left when the others are done."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[None]:  # the value of a wrapper is the report
    report = yield
    if report.skipped and os.environ.get(NO_SKIP) == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped, which {NO_SKIP}=1 forbids: {report.longrepr}"
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, as its fixtures are shared, unless they say with
    `xdist_group` what else belongs together; and start with what takes longest."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.location[0]))
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    file = item.location[0]
    return next((k for k, start in enumerate(LONGEST) if file.startswith(start)), len(LONGEST))


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
    contexts = []

    def open_page(
        address: str,
        width: int = 1280,
        theme: str = "light",
        script: bool = True,
        until: Literal["load", "networkidle"] = "networkidle",
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            java_script_enabled=script,
        )
        contexts.append(context)
        visit = Visit(context.new_page())
        listen(visit)
        visit.page.goto(address, wait_until=until)
        return visit

    yield open_page
    for context in contexts:
        context.close()
