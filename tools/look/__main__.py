"""Serves the site and builds again what was changed.

    make look

A page in the browser is loaded again when it has changed. Sphinx stays in this process, so that a
changed sentence takes as long as its page; a changed cell runs the cells of its page and no others.
What an open process cannot take in, a configuration or an extension, starts this program anew.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from tools.demonstration.server import claim
from tools.look.book import Book
from tools.look.server import start
from tools.look.watch import Watch, needs_new_start

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Build, serve, and build again until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tools.look")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--book", type=Path, default=ROOT, help="the folder with _toc.yml")
    options = parser.parse_args()
    root = options.book.resolve()
    if not (root / "_toc.yml").is_file():
        sys.exit(f"{root} has no _toc.yml: it is no book.")
    try:
        claim(options.port)
    except OSError as error:
        sys.exit(str(error).replace("make course", "make look"))
    try:
        look(root, options.port)
    except KeyboardInterrupt:
        print()


def look(root: Path, port: int) -> None:
    """Build and serve a book until the process is ended."""
    watch = Watch(root)
    with Book(root) as book:
        say("The site is built ...")
        build(book)
        address = start(book.site, book.statics, port)
        say(f"The course      {address}  (until Ctrl-C; saved pages come by themselves)")
        while True:
            changed = watch.wait()
            if needs_new_start(changed):
                say(f"{names(changed, root)} changed: starting anew")
                os.execv(sys.executable, [sys.executable, "-m", "tools.look", *sys.argv[1:]])
            say(f"{names(changed, root)} changed")
            build(book)


def build(book: Book) -> None:
    """Build what is out of date, and print how long it took."""
    began = time.monotonic()
    problem = book.build()
    say(problem or f"  built in {time.monotonic() - began:.1f} s")


def names(changed: set[Path], root: Path) -> str:
    """The files that changed, as a reader of the terminal knows them."""
    found = sorted(path.relative_to(root).as_posix() for path in changed)
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return ", ".join(found[:3]) + more


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
