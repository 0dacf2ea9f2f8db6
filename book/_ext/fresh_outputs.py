"""Tie the stored outputs of the pages to the code they ran.

The execution cache knows a page by its cells alone, so a page would keep its old output after
``rnncourse`` changed. Here the cache's folder is named by a hash of the package, of the stored
results that pages read and of the pinned versions, and the same hash is a setting that makes
Sphinx read every page again.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.typing import ExtensionMetadata

PINS = "constraints.txt"
PACKAGE = "rnncourse"
STORED = "book/stored"
PREFIX = "jupyter_cache_"


def fingerprint(root: Path) -> str:
    """A hash of everything outside a page that its outputs may depend on."""
    found = hashlib.sha256(f"{sys.version_info[:2]} {version('torch')}".encode())
    folders = (root / PACKAGE, root / STORED)
    for path in sorted([root / PINS, *(path for one in folders for path in one.rglob("*"))]):
        if path.is_file() and "__pycache__" not in path.parts:
            found.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    return found.hexdigest()[:16]


def choose_cache(app: Sphinx, config: Config) -> None:
    root = Path(app.srcdir)
    config.code_fingerprint = fingerprint(root)
    # In the book's own folder wherever the site goes: the tests build elsewhere, and run nothing.
    build = root / "_build"
    chosen = build / f"{PREFIX}{config.code_fingerprint}"
    for old in build.glob(f"{PREFIX}*"):
        if old != chosen:
            shutil.rmtree(old)
    config.nb_execution_cache_path = str(chosen)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_config_value("code_fingerprint", "", "env", [str])
    app.connect("config-inited", choose_cache)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
