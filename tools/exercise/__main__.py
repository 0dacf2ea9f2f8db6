"""python -m tools.exercise: make an exercise, write what is generated, see what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .new import AuthorError, New

ROOT = Path(__file__).parents[2]
app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def new(
    name: str,
    chapter: Annotated[str, typer.Option(help="its chapter; made if there is none of this name")],
    points: Annotated[int, typer.Option(help="what it is worth")] = 2,
) -> None:
    """Make an exercise that runs as it is, with TODO where you go on."""
    try:
        paths = New(ROOT, name, chapter, points).make()
    except AuthorError as error:
        typer.echo(f"tools.exercise: {error}", err=True)
        raise typer.Exit(1) from None
    for path in paths:
        typer.echo(f"written  {path.relative_to(ROOT)}")
    typer.echo(
        "Go on where these say TODO. Then:\n"
        f"  python -m tools.exercise write {chapter}   fingerprints, and the learners' notebook\n"
        f"  python -m tools.exercise check {name}   what is missing"
    )


@app.command()
def write(
    chapters: Annotated[list[str] | None, typer.Argument(help="all, if none")] = None,
) -> None:
    """Write what is generated: fingerprints, and the notebooks in exercises/."""
    from rnncourse._errors import BriefError
    from rnncourse._exercise import CHAPTERS
    from rnncourse.grading.release import release
    from tools import answers, fingerprints

    if unknown := [name for name in chapters or [] if name not in CHAPTERS]:
        typer.echo(f"tools.exercise: there is no chapter {unknown[0]}.", err=True)
        raise typer.Exit(1)
    try:
        for chapter in chapters or CHAPTERS:
            typer.echo(f"written  {fingerprints.write(chapter).relative_to(ROOT)}")
            typer.echo(f"written  {release(ROOT, chapter).relative_to(ROOT)}")
    except (BriefError, answers.EditError) as error:
        typer.echo(f"tools.exercise: {error}", err=True)
        raise typer.Exit(1) from None


@app.command()
def install_cells() -> None:
    """Write into all notebooks from where they install the course, as _config.yml says."""
    from book._ext.addresses import AddressError
    from rnncourse.grading.release import release

    from .install_cells import write_install_cells

    try:
        for path in write_install_cells(ROOT):
            typer.echo(f"written  {path.relative_to(ROOT)}")
            typer.echo(f"written  {release(ROOT, path.stem).relative_to(ROOT)}")
    except AddressError as error:
        typer.echo(f"tools.exercise: {error}", err=True)
        raise typer.Exit(1) from None


@app.command()
def check(names: Annotated[list[str] | None, typer.Argument(help="all, if none")] = None) -> None:
    """Say what exercises lack, a line each; status 1 if anything."""
    from .check import findings

    try:
        found = [*findings(names or [])]
    except KeyError as error:
        typer.echo(f"tools.exercise: there is no exercise {error}.", err=True)
        raise typer.Exit(1) from None
    for finding in found:
        typer.echo(str(finding))
    if found:
        raise typer.Exit(1)
    typer.echo("Nothing is missing.")


@app.command()
def lines(names: list[str]) -> None:
    """Count the lines that an author wrote for exercises, part by part."""
    from rnncourse._errors import BriefError

    from .lines import lines_by_hand

    try:
        counts = {name: lines_by_hand(name) for name in names}
    except BriefError as error:
        typer.echo(f"tools.exercise: {error}", err=True)
        raise typer.Exit(1) from None
    for name, parts in counts.items():
        told = ", ".join(f"{part} {count}" for part, count in parts.items())
        typer.echo(f"{name}: {sum(parts.values())} lines: {told}")


if __name__ == "__main__":
    app()
