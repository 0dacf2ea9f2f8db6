"""The command line: `rnncourse`, or `python -m rnncourse`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ._errors import CancelledError, CourseError
from ._installation import install_command
from ._loading import loading
from ._terminal.output import print_anything

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="A course on recurrent networks: exercises for learners, grading for instructors.",
)
console = Console(
    soft_wrap=True,
    highlight=False,
    color_system=None if os.environ.get("NO_COLOR") else "auto",  # not bold either
)

EXTRAS = {"distributed": "cluster", "psycopg": "postgresql", "psycopg2": "postgresql"}
"""What else an instructor may need, beside the extra `grading`."""

Folder = Annotated[Path, typer.Argument(help="where the exercises go")]
Assignments = Annotated[list[str] | None, typer.Argument(help="all of them if left out")]
Names = Annotated[
    list[str] | None, typer.Argument(help="notebooks or exercises, such as lstm or lstm_cell")
]
Seconds = Annotated[
    float | None,
    typer.Option(min=0.1, help="computing time for each exercise's function, usually 10"),
]
CellSeconds = Annotated[
    float | None, typer.Option(min=0.1, help="the same for each cell, usually 60")
]

EXIT_STATUS = (
    "Exit status: 0 all right, 1 something is wrong, 2 a wrong option, 130 stopped with Ctrl-C."
)


def main() -> None:
    """Run a command. What the person can mend is one sentence on stderr and exit status 1."""
    print_anything()
    status = 1
    try:
        app()
    except CourseError as error:
        reason = str(error)
    except CancelledError as error:
        reason, status = f"stopped: {error} was running. Nothing was changed or written.", 130
    except OSError as error:
        reason = f"{error.filename or 'the system'}: {error.strerror or error}"
    else:
        return
    print(f"rnncourse: {reason}", file=sys.stderr)
    raise SystemExit(status)


@app.command()
def start(folder: Folder) -> None:
    """Make a workspace: a folder with the notebooks of all exercises."""
    from . import _workspace

    made, kept = _workspace.start(folder)
    for path in made:
        console.print(f"made  {path}")
    for path in kept:
        console.print(f"kept  {path}, which was there already")
    console.print(f"Next:  jupyter lab {folder}")


@app.command(epilog=EXIT_STATUS)
def check(names: Names = None, seconds: Seconds = None, cell_seconds: CellSeconds = None) -> None:
    """Run the public checks of notebooks or exercises; of all in this workspace if none is named.

    Say for example: rnncourse check lstm, or rnncourse check lstm_cell rnn. Your cells run in the
    notebook's folder, without its checks and demonstrations.
    """
    with loading():
        from ._terminal import commands
    if not commands.check(names or [], commands.limits(seconds, cell_seconds), console):
        raise typer.Exit(1)


@app.command(epilog=EXIT_STATUS)
def progress(seconds: Seconds = None, cell_seconds: CellSeconds = None) -> None:
    """Show how far each exercise of this workspace is.

    Exercises that are not done yet are no error; a notebook that cannot be read or a cell of your
    own that fails is one.
    """
    with loading():
        from ._terminal import commands
    if not commands.progress(commands.limits(seconds, cell_seconds), console):
        raise typer.Exit(1)


@app.command(epilog=EXIT_STATUS)
def submit(
    assignment: Annotated[str, typer.Argument(help="such as lstm")],
    seconds: Seconds = None,
    cell_seconds: CellSeconds = None,
) -> None:
    """Write the one file to hand in, into the workspace's folder submit.

    What is not done or not right is said, and is no error: you may hand it in.
    """
    with loading():
        from ._terminal import commands
    commands.submit(assignment, commands.limits(seconds, cell_seconds), console)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, for programs")] = False,
) -> None:
    """Say what this machine can do for the course. The exit status is 1 when something is missing
    that the exercises need."""
    from . import _doctor

    found = []
    for one in _doctor.findings():
        found.append(one)
        if not as_json:
            console.print(f"{one.name:12} {one.said}", markup=False)
    if as_json:
        print(_doctor.as_json(found))
    if lacking := _doctor.missing(found):
        raise CourseError(f"the exercises do not run here without {', '.join(lacking)}.")


@app.command()
def release(assignments: Assignments = None) -> None:
    """Make the learners' notebooks in exercises/ from the instructor's in solutions/."""
    with _grader_installed(), loading():
        from .grading.commands import release_assignments
    release_assignments(assignments, console)


@app.command()
def course(
    folder: Annotated[Path, typer.Argument(help="for one class: submissions, marks, pages")],
    specs: Annotated[Path | None, typer.Option(help="the checkout with the solutions")] = None,
) -> None:
    """Make a course folder for a class, outside the checkout."""
    with _grader_installed(), loading():
        from .grading.checkout import Checkout
        from .grading.setup_course import set_up_course
    course_id = set_up_course(folder, Checkout.find(specs))
    console.print(f"made  {folder} (course {course_id}). Its README.md says what comes next.")


@app.command()
def collect(
    archive: Annotated[Path, typer.Argument(help="what Moodle or Canvas hands out, or a folder")],
    assignment: Annotated[str, typer.Argument(help="such as lstm")],
    course: Annotated[Path, typer.Option(help="the course folder, with submitted/")] = Path(),
    pattern: Annotated[
        str | None,
        typer.Option(help="where a file's path holds the learner: (?P<student>...)"),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="also where another version is there already")
    ] = False,
    everybody: Annotated[
        bool, typer.Option("--all", help="list all learners, also in a large class")
    ] = False,
) -> None:
    """Put learners' files from a learning platform where the grader looks for them.

    What a learner has handed in before is kept unless --replace is given. The exit status is 1 when
    something needs a look, such as a learner without a notebook; all others' files are taken.
    """
    with _grader_installed(), loading():
        from .grading.intake.command import collect_archive
    collect_archive(archive, assignment, course, console, pattern, replace, everybody)


@app.command()
def grade(
    assignments: Assignments = None,
    course: Annotated[Path, typer.Option(help="the course folder, with submitted/")] = Path(),
    specs: Annotated[Path | None, typer.Option(help="the checkout with the solutions")] = None,
    gradebook: Annotated[
        str | None, typer.Option(help="its URL, if it is not gradebook.db in the course folder")
    ] = None,
    student: Annotated[str | None, typer.Option(help="only this learner")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="also what is graded and has not changed")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="write this run's results as JSON")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="how many run at a time; else one a core, at most 8")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="a Dask scheduler, whose workers run them instead")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="computing time for each exercise, usually 10")
    ] = None,
    cell_seconds: Annotated[
        float | None, typer.Option(min=0.1, help="the same for all cells of a notebook, usually 60")
    ] = None,
    submission_seconds: Annotated[
        float | None,
        typer.Option(min=1, help="time on the clock for all of a submission, usually 300"),
    ] = None,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="run learners' code unprotected; reports say so")
    ] = False,
) -> None:
    """Grade submissions into the gradebook, with a feedback page for each learner.

    What was graded before and has not changed is left as it is, so a run that was stopped goes on
    where it was. The exit status is 1 when a submission had to be refused; the others are graded.
    """
    with _grader_installed():
        with loading():
            from .grading.commands import Options, grade_assignments
        options = Options(
            specs=specs,
            gradebook=gradebook,
            student=student,
            report=report,
            seconds=seconds,
            cell_seconds=cell_seconds,
            submission_seconds=submission_seconds,
            workers=workers,
            scheduler=scheduler,
            again=again,
            protected=not no_sandbox,
        )
        grade_assignments(assignments, course, console, options)


@contextmanager
def _grader_installed() -> Iterator[None]:
    """Only instructors install what the grader needs."""
    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] in ("rnncourse", "tests"):
            raise
        extra = EXTRAS.get(error.name or "", "grading")
        raise CourseError(
            f"this needs {error.name}, which is not installed: {install_command(extra)}"
        ) from error
