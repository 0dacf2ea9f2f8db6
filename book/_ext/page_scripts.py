"""Scripts that only those pages load which have something for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

AddScript = Callable[[Sphinx, str, str, dict[str, Any], nodes.document | None], None]


def script_where(kind: type[nodes.Node], script: str) -> AddScript:
    """A handler of html-page-context that adds a script to pages with a node of this kind."""

    def add_script(
        app: Sphinx,
        pagename: str,
        templatename: str,
        context: dict[str, Any],
        doctree: nodes.document | None,
    ) -> None:
        if doctree and next(iter(doctree.findall(kind)), None):
            app.add_js_file(script, loading_method="defer")

    return add_script
