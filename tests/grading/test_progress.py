"""What is told while a class is graded, where nobody looks at a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from rnncourse.grading.progress import duration, watched
from rnncourse.grading.record import Record
from rnncourse.grading.run import Graded


def lines(total: int, seconds: float) -> list[str]:
    """What a log holds of a class in which each submission takes so long."""
    now = 0.0

    def graded() -> Iterator[Graded]:
        nonlocal now
        for number in range(total):
            now += seconds
            yield Graded(Record(f"s{number}", "lstm", (), "none"), fresh=True)

    log = io.StringIO()
    console = Console(file=log, width=80)
    seen = list(watched(graded(), "lstm", total, console, lambda: now))
    assert len(seen) == total
    return log.getvalue().splitlines()


def test_a_log_gets_a_line_for_each_tenth_of_the_class() -> None:
    said = lines(300, 0.5)
    assert len(said) == 9
    assert said[0] == "lstm: 30 of 300, 2.0 a second, 2 min 15 s left"


def test_a_slow_class_is_told_of_every_half_minute() -> None:
    said = lines(300, 10)
    assert said[:2] == [
        "lstm: 3 of 300, 0.1 a second, 49 min 30 s left",
        "lstm: 6 of 300, 0.1 a second, 49 min 0 s left",
    ]


def test_a_few_that_are_fast_need_no_lines() -> None:
    assert lines(7, 0.5) == []


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59, "59 s"), (200, "3 min 20 s"), (3900, "1 h 5 min")],
)
def test_durations_in_words(seconds: float, said: str) -> None:
    assert duration(seconds) == said
