"""Write the lessons as notebooks beside the pages, where Colab and learners get them.

    book/lstm.md       --MyST-NB-->  cells  --plain_markdown, lesson_notebook--+
    execution cache    ----------->  the numbers that the prose quotes --------+
    references.bib     ----------->  what it cites ----------------------------+
    _config.yml        ----------->  links, the install cell ------------------+
                                                                               v
                                     _build/html/notebooks/lesson-lstm.ipynb

Stored results that a lesson reads lie in ``notebooks/stored``. A lesson whose cells fail gets no
notebook; MyST-NB reports it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
from addresses import NOTEBOOKS, AddressError, notebook_name, read_addresses
from fresh_outputs import Lesson as Executed
from fresh_outputs import find_lessons
from jupyter_cache import get_cache
from lesson_notebook import lesson_notebook
from nbformat import NotebookNode
from plain_markdown import Lesson, NoPlainFormError
from reading_time import reading_times
from references import Work, read_works
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata

CITED = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")
RECORD = "application/papermill.record/text/plain"


def has_notebook(env: BuildEnvironment, docname: str) -> bool:
    """Whether a page is a lesson: it has code, and is not the front page."""
    digests: dict[str, str] = getattr(env, "lesson_digests", {})
    return docname in digests and docname != env.config.root_doc


def write_notebooks(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir, NOTEBOOKS)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copytree(
        Path(app.srcdir, "book", "stored"),
        folder / "stored",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    try:
        for name, notebook in _notebooks(app):
            nbformat.validate(notebook)
            nbformat.write(notebook, folder / name)
    except (AddressError, NoPlainFormError) as error:
        raise ExtensionError(str(error)) from error


def _notebooks(app: Sphinx) -> Iterator[tuple[str, NotebookNode]]:
    """The files' names and the notebooks of all lessons."""
    root, env = Path(app.srcdir), app.env
    addresses = read_addresses(root)
    works = read_works(root / name for name in app.config.bibtex_bibfiles)
    titles = {docname: title.astext() for docname, title in env.titles.items()}
    cache = get_cache(app.config.nb_execution_cache_path)
    for executed in find_lessons(env, root):
        if not has_notebook(env, executed.docname):
            continue
        try:
            record = cache.match_cache_notebook(executed.notebook)
        except KeyError:
            continue
        lesson = Lesson(
            executed.docname,
            _values(cache.get_cache_bundle(record.pk).nb),
            _cited(executed, works),
            frozenset(titles),
            addresses,
            reading_times(executed.path.read_text("utf-8")),
        )
        yield notebook_name(executed.docname), lesson_notebook(executed.notebook, lesson, titles)


def _values(notebook: NotebookNode) -> dict[str, str]:
    """By key, what the cells of an executed notebook handed to the prose."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return {
        output.metadata.scrapbook.name: output.data[RECORD]
        for output in outputs
        if "scrapbook" in output.get("metadata", {})
    }


def _cited(lesson: Executed, works: dict[str, Work]) -> dict[str, Work]:
    """What a lesson cites. Keys begin with its name, for a list on each page."""
    text = lesson.path.read_text(encoding="utf-8")
    keys = {key.strip() for found in CITED.findall(text) for key in found.split(",")}
    return {key: works[key.partition("-")[2]] for key in keys}


def setup(app: Sphinx) -> ExtensionMetadata:
    # Declared for Sphinx; `read_addresses` reads it.
    app.add_config_value("published", {}, "env")
    app.connect("build-finished", write_notebooks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
