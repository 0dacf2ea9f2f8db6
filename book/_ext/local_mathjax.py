"""Serve MathJax from the site itself.

The files are taken from the installed package ``sphinx-mathjax-offline``, which carries all of
MathJax 3 (24 MB). A page loads one script and its fonts; the parts behind MathJax's own menu
wait on the site until a reader asks for them. The package has no licence file, so MathJax's
stands next to this module.
"""

from __future__ import annotations

import shutil
from importlib.metadata import files
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata

PACKAGE = "sphinx-mathjax-offline"
FOLDER = "mathjax"
SCRIPT = "tex-chtml-full.js"
NEEDED = (
    SCRIPT,
    "output/chtml/fonts/woff-v2/",
    # What MathJax's own menu may ask for: another renderer, and formulas read aloud part by part.
    "a11y/",
    "input/mml.js",
    "input/mml/",
    "output/svg.js",
    "output/svg/",
    "sre/",
)
LICENCE = Path(__file__).with_name("mathjax-licence.txt")


def needed_files() -> dict[str, Path]:
    """Paths below MathJax's folder, and where the installed package has them."""
    marker = f"/static/{FOLDER}/"
    found = {}
    for entry in files(PACKAGE) or ():
        _, _, inside = entry.as_posix().partition(marker)
        if inside.startswith(NEEDED):
            found[inside] = Path(str(entry.locate()))
    if SCRIPT not in found:
        raise ExtensionError(f"{PACKAGE} is installed without {SCRIPT}")
    return found


def copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", FOLDER)
    for inside, source in needed_files().items():
        copy = target / inside
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
    shutil.copyfile(LICENCE, target / "LICENSE.txt")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("build-finished", copy_mathjax)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
