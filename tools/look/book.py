"""Builds a book again and again in one process, with the settings of `jupyter-book build -n`."""

from __future__ import annotations

import functools
import io
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pybtex.plugin
from jupyter_book.config import get_final_config
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

# pybtex looks through all installed packages forty times a build.
pybtex.plugin.entry_points = functools.cache(pybtex.plugin.entry_points)

PROGRESS = "Lessons: "
"""What a line begins with by which the book's extension fresh_outputs says how far it is."""


class Book:
    """A book that is built into a folder of its own, beside what `make course` builds.

    Attributes:
        site: where its pages are.
        statics: the folders whose files are served as they stand.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / "_build" / "look"
        self.site = self._folder / "html"
        self.statics = [root / "book" / "_static"]
        self._open = ExitStack()
        self._app: Sphinx | None = None

    def __enter__(self) -> Self:
        self._open.enter_context(patch_docutils(None))
        self._open.enter_context(docutils_namespace())
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def build(self) -> str:
        """Write the pages that are out of date; "", or a sentence on why it could not be done.

        Warnings go to standard error.
        """
        try:
            self._app = self._app or self._started()
            self._app.build()
        except Exception as error:  # whatever is wrong in a page, the next change may mend it
            self._app = None
            return f"The site could not be built: {error}"
        return ""

    def _started(self) -> Sphinx:
        """Sphinx, with the book's configuration."""
        config, _ = get_final_config(
            user_yaml=self._root / "_config.yml",
            cli_config={
                "external_toc_path": str(self._root / "_toc.yml"),
                "latex_individualpages": False,
                "nitpicky": True,
            },
            sourcedir=self._root,
            use_external_toc=True,
        )
        return Sphinx(
            srcdir=self._root,
            confdir=None,
            outdir=self.site,
            doctreedir=self._folder / "doctrees",
            buildername="html",
            confoverrides=config,
            status=Progress(),
            warning=sys.stderr,
            keep_going=True,
        )


class Progress(io.StringIO):
    """Of all that Sphinx says, the lines on lessons that are run."""

    def write(self, text: str) -> int:
        """Print a line on progress; drop any other."""
        for line in text.splitlines():
            if line.startswith(PROGRESS):
                print(f"  {line}", flush=True)
        return len(text)
