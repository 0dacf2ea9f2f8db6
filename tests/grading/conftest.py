"""What the tests of the grader share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rnncourse.checks.plan import Case, Key, plan_of
from rnncourse.grading.hidden_test import build_hidden_test
from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.sandbox.job import ClassCalls
from rnncourse.grading.sandbox.launch import sandboxed
from tests.grading import sandboxes
from tests.grading.postgresql import server as server
from tests.grading.sandboxes import NO_SANDBOX, unfiltered
from tools.answers import solution, solutions


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    """A worker with every layer of the sandbox that this machine has."""
    if NO_SANDBOX:
        pytest.skip(NO_SANDBOX)
    with Worker(sandboxed()) as started:
        yield started


@pytest.fixture(scope="session")
def plain_worker() -> Iterator[Worker]:
    """The same, started by somebody who is not root."""
    if NO_SANDBOX:
        pytest.skip(NO_SANDBOX)
    started = sandboxes.plain_worker()
    yield started
    started.__exit__()


@pytest.fixture(scope="session")
def crowded_worker() -> Iterator[Worker]:
    """A worker that may not make namespaces for its children."""
    if NO_SANDBOX:
        pytest.skip(NO_SANDBOX)
    with Worker(sandboxed("--disable-userns")) as started:
        yield started


@pytest.fixture(scope="session")
def unfiltered_worker() -> Iterator[Worker]:
    """A worker on what looks like a kernel without filters for system calls."""
    if NO_SANDBOX:
        pytest.skip(NO_SANDBOX)
    with Worker(unfiltered()) as started:
        yield started


@pytest.fixture(params=["worker", "plain_worker", "crowded_worker"])
def any_worker(request: pytest.FixtureRequest) -> Worker:
    """Each of them in turn."""
    found: Worker = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def class_calls() -> ClassCalls:
    """The real cases of every exercise of lstm."""
    found: dict[str, dict[Key, Case]] = {}
    names = solutions("lstm").sources
    for name in names:
        found[name] = build_hidden_test(plan_of(name), solution(name), 7).hidden.cases
    return ClassCalls(found, {name: plan_of(name).forbidden_calls for name in names})
