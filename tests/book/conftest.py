"""The site as a visitor gets it: built once, served on loopback."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sphinx.cmd.build import build_main

from .site import EXTENSIONS, ROOT

sys.path.append(str(EXTENSIONS))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site. Every page is read anew; only executed outputs are reused,
    so a warning cannot hide behind an earlier build."""
    program = Path(sys.executable).with_name("jupyter-book")
    if not program.exists():
        pytest.skip("jupyter-book is not installed: make setup")
    folder = shared_folder(tmp_path_factory)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "built").exists():
            build_site(program, folder)
            (folder / "built").touch()
    return folder / "_build" / "html"


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of this test run, so that the site is built once."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "site"
    folder.mkdir(exist_ok=True)
    return folder


def build_site(program: Path, output: Path) -> None:
    command = [program, "build", ROOT, "-W", "-n", "--keep-going", "--path-output", output]
    built = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, f"{built.stdout}\n{built.stderr}"


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine; give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    yield from serve(site)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A function that builds one page of MyST with the course's directives and gives its file.
    It raises AssertionError, with what Sphinx said, if there is any warning."""

    def build(text: str, script: str = "") -> Path:
        source = tmp_path_factory.mktemp("demo")
        (source / "index.md").write_text(text, encoding="utf-8")
        (source / "own").mkdir()
        (source / "book").mkdir()
        shutil.copy(ROOT / "book" / "coverage.toml", source / "book")
        (source / "own" / "demo.js").write_text(script, encoding="utf-8")
        (source / "conf.py").write_text(
            f"import sys\nsys.path.append({str(EXTENSIONS)!r})\n"
            "extensions = ['myst_parser', 'asides', 'closer', 'coverage_list', 'interactive', "
            "'predictions', 'questions', 'terms']\n"
            "myst_enable_extensions = ['dollarmath', 'colon_fence']\n"
            f"html_static_path = ['own', {str(ROOT / 'book' / '_static')!r}]\n"
            "html_css_files = ['course.css']\nhtml_theme = 'basic'\n"
            "html_theme_options = {'body_min_width': 0}\n",
            encoding="utf-8",
        )
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            status = build_main(["-W", "--keep-going", "-q", str(source), str(source / "out")])
        assert status == 0, said.getvalue()
        return source / "out" / "index.html"

    return build
