"""Two classes of attackers, each graded once."""

from __future__ import annotations

import pytest

from rnncourse.grading.sandbox.launch import obstacle

from .classroom import Graded, graded
from .damage import DAMAGE
from .forgery import FORGERY, LOOKERS, POISONERS
from .harm import ENDLESS, HARM, RESULTS_OF_ALL_KINDS, SHOWN
from .outward import BYSTANDERS, ODD_NAMES, OUTWARD
from .reading import READING

NO_SANDBOX = obstacle()

QUICK = [
    *READING,
    *FORGERY,
    *POISONERS,
    *LOOKERS,
    *HARM,
    *DAMAGE,
    *OUTWARD,
    *RESULTS_OF_ALL_KINDS,
]
SLOW = [*ENDLESS, *SHOWN, *ODD_NAMES]


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Everybody who ends by themselves."""
    if NO_SANDBOX:
        pytest.skip(NO_SANDBOX)
    folder = tmp_path_factory.mktemp("quick")
    return graded(folder, [*BYSTANDERS, *QUICK], "--seconds", "20", "--cell-seconds", "30")


@pytest.fixture(scope="session")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Those who do not, and those whose names and words are shown in a terminal."""
    if NO_SANDBOX:
        pytest.skip(NO_SANDBOX)
    folder = tmp_path_factory.mktemp("slow")
    # Those who sleep need no core: four at a time.
    options = ("--seconds", "1", "--cell-seconds", "1", "--submission-seconds", "60")
    options += ("--workers", "4")
    return graded(folder, [*BYSTANDERS, *SLOW], *options, terminal=True)
