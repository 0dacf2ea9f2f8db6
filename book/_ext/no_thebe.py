"""Drop Thebe's loader: Jupyter Book always adds it, and without Thebe it throws on every page."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def _is_thebe(script: Any) -> bool:
    body = script.attributes.get("body") or ""
    return "THEBE_JS_URL" in body or str(script.filename).endswith("sphinx-thebe.js")


def drop_thebe(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    context["script_files"] = [one for one in context["script_files"] if not _is_thebe(one)]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
