"""Run lessons whose outputs are not in the execution cache, several at a time.

MyST-NB runs lessons one after the other while it reads them. Here they are run before, each in a
kernel of its own, and their outputs are put where MyST-NB looks for them. An output is used again
only while the lesson's digest is the same (``lesson_digest.py``).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from lesson_digest import files_state, lesson_digest
from myst_nb.core.read import create_nb_reader
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

CACHE = Path("_build", "jupyter_cache")
"""In the book's own folder wherever the site goes: a build elsewhere, as in tests, runs nothing."""

PROGRESS = "Lessons: "
"""What a line on progress begins with."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lesson:
    """A page with code cells, as MyST-NB reads it."""

    docname: str
    path: Path
    notebook: NotebookNode
    digest: str


def choose_cache(app: Sphinx, config: Config) -> None:
    config.nb_execution_cache_path = str(Path(app.srcdir) / CACHE)


def run_lessons(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Fill the cache; give the pages whose outputs are not those of the last build."""
    cache = get_cache(app.config.nb_execution_cache_path)
    lessons = list(find_lessons(env, Path(app.srcdir)))
    digests = {lesson.docname: lesson.digest for lesson in lessons}
    before: dict[str, str] = getattr(env, "lesson_digests", {})
    env.lesson_digests = digests  # type: ignore[attr-defined]
    stale = [name for name, digest in digests.items() if before.get(name) != digest]
    # A page that is not read now needs no outputs: one that fails runs again when it is changed.
    read = {*added, *changed, *stale}
    missing = [one for one in lessons if one.docname in read and not _is_cached(cache, one)]
    began = time.monotonic()
    for done, (lesson, result) in enumerate(_executed(missing, app), start=1):
        if result.err is None:  # else MyST-NB runs it again, and reports where it failed
            _store(cache, lesson, result)
        left = (time.monotonic() - began) / done * (len(missing) - done)
        said = f"{done} of {len(missing)} run ({lesson.path.stem})"
        logger.info("%s%s%s", PROGRESS, said, f", about {left:.0f} s left" if left else "")
    return stale


_known: dict[Path, tuple[tuple[object, ...], Lesson | None]] = {}
"""Each page as it was read last: a process that builds again and again reads it once."""


def find_lessons(env: BuildEnvironment, root: Path) -> Iterator[Lesson]:
    """Every page with code cells."""
    used = files_state(root)
    for docname in sorted(env.found_docs):
        path = Path(env.doc2path(docname))
        if path.suffix != ".md":
            continue
        state = (path.stat().st_mtime_ns, used)
        if path not in _known or _known[path][0] != state:
            _known[path] = state, _lesson(env, docname, path, root)
        if lesson := _known[path][1]:
            yield lesson


def _lesson(env: BuildEnvironment, docname: str, path: Path, root: Path) -> Lesson | None:
    """A page's code cells with their digest; None if it has none."""
    settings: Any = env  # MyST-NB keeps its settings there
    text = path.read_text(encoding="utf-8")
    reader = create_nb_reader(str(path), settings.myst_config, settings.mystnb_config, text)
    if reader is None:
        return None
    notebook = reader.read(text)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return Lesson(docname, path, notebook, lesson_digest(root, cells)) if cells else None


def _is_cached(cache: JupyterCacheAbstract, lesson: Lesson) -> bool:
    try:
        record = cache.match_cache_notebook(lesson.notebook)
    except KeyError:
        return False
    if record.data.get("digest") == lesson.digest:
        return True
    cache.remove_cache(record.pk)
    return False


def _store(cache: JupyterCacheAbstract, lesson: Lesson, result: ExecutionResult) -> None:
    data = {"execution_seconds": result.time, "digest": lesson.digest}
    bundle = CacheBundleIn(result.nb, str(lesson.path), data=data)
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def _executed(lessons: list[Lesson], app: Sphinx) -> Iterator[tuple[Lesson, ExecutionResult]]:
    """Run lessons, as many at a time as there are cores; each is given when it is done."""
    if not lessons:
        return
    # One thread a kernel: small networks are faster so, and outputs depend on it in the last digit.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    count = min(len(lessons), os.cpu_count() or 1)
    # Sphinx is in the middle of a line here.
    logger.info("\n%s%d to run, %d at a time", PROGRESS, len(lessons), count)
    timeout = app.config.nb_execution_timeout
    with ThreadPoolExecutor(count) as pool:
        running = {
            pool.submit(
                single_nb_execution,
                lesson.notebook,
                cwd=str(lesson.path.parent),
                timeout=timeout,
                allow_errors=False,
            ): lesson
            for lesson in lessons
        }
        for future in as_completed(running):
            yield running[future], future.result()


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("config-inited", choose_cache)
    app.connect("env-get-outdated", run_lessons)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
