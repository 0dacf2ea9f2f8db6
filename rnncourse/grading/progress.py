"""How far a class is, while it is graded: a bar in a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .names import distinct
from .run import Graded

SECONDS = 30.0
"""Between two lines in a log, at most; a tenth of the class is told before."""

Clock = Callable[[], float]


def watched(
    graded: Iterator[Graded],
    name: str,
    total: int,
    console: Console,
    clock: Clock = time.monotonic,
) -> Iterator[Graded]:
    """The submissions as they come; how far it is is shown meanwhile.

    Args:
        name: the assignment's.
        total: how many there are.
    """
    if console.is_terminal:
        yield from _bar(graded, name, total, console)
    else:
        yield from _lines(graded, name, total, console, clock)


def duration(seconds: float) -> str:
    """Such as "45 s", "3 min 20 s" or "1 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _bar(graded: Iterator[Graded], name: str, total: int, console: Console) -> Iterator[Graded]:
    """With who is running at the moment."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[running]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name, total=total, rate="", running="starting")
        for one in graded:
            speed = progress.tasks[0].finished_speed or progress.tasks[0].speed
            progress.update(
                task,
                advance=1,
                rate=f"{speed:.1f} a second" if speed else "",
                running=", ".join(map(distinct, one.running[:3])),
            )
            yield one


def _lines(
    graded: Iterator[Graded], name: str, total: int, console: Console, clock: Clock
) -> Iterator[Graded]:
    """A line for each tenth of the class, or after half a minute; none for the last learner, whom
    the summary follows."""
    begun = told = clock()
    told_of = 0
    for done, one in enumerate(graded, 1):
        yield one
        now = clock()
        due = now - told >= SECONDS or (done - told_of) * 10 >= max(total, 100)
        if due and done < total:
            console.print(_line(name, done, total, now - begun), markup=False, highlight=False)
            told, told_of = now, done


def _line(name: str, done: int, total: int, seconds: float) -> str:
    rate = done / max(seconds, 0.001)
    left = duration((total - done) / rate)
    return f"{name}: {done} of {total}, {rate:.1f} a second, {left} left"
