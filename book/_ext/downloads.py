"""Put the package's wheel and a zip of all notebooks on the site, and link them.

    ```{downloads}
    ```

becomes a list of links to the two files. With them a copy of the site on any server is enough to
install from and to work with.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from addresses import ARCHIVE, DOWNLOADS, NOTEBOOKS, read_addresses
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata


class Downloads(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        up = "../" * self.env.docname.count("/")
        wheel = read_addresses(Path(self.env.srcdir)).wheel
        files = (
            (ARCHIVE, "all lessons and exercises as notebooks"),
            (wheel, "the package, for pip"),
        )
        made = nodes.bullet_list()
        for name, what in files:
            link = nodes.reference("", name, refuri=f"{up}{DOWNLOADS}/{name}", internal=False)
            line = nodes.paragraph("", "", link, nodes.Text(f": {what}"))
            made += nodes.list_item("", line)
        return [made]


def write_downloads(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir, DOWNLOADS)
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.whl"):
        old.unlink()
    build_wheel(Path(app.srcdir), folder)
    with ZipFile(folder / ARCHIVE, "w", ZIP_DEFLATED) as archive:
        for name, path in sorted(_archived(Path(app.srcdir), Path(app.outdir, NOTEBOOKS))):
            # A date of its own would make another file of the same notebooks.
            archive.writestr(ZipInfo(name), path.read_bytes(), ZIP_DEFLATED)


def build_wheel(root: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ExtensionError(f"the wheel could not be built: {done.stdout}{done.stderr}")


def _archived(root: Path, notebooks: Path) -> Iterator[tuple[str, Path]]:
    """By its name in the zip, each file: lessons beside each other, exercises in folders."""
    for room in (notebooks, root / "exercises"):
        for path in room.rglob("*"):
            if path.is_file() and ".ipynb_checkpoints" not in path.parts:
                yield path.relative_to(room).as_posix(), path


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("downloads", Downloads)
    # After the lessons' notebooks are written (500).
    app.connect("build-finished", write_downloads, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
