"""The directive ``interactive``: a figure with controls, drawn by a script of its own.

    ```{interactive} lstm-memory
    :alt: What the figure shows, in one or two sentences.
    Caption text.
    ```

The figure's script is ``_static/lstm-memory.js``; ``interactive.js`` says how one is written. Both
are loaded only on pages that use them, as classic deferred scripts, so that a page also works
when it is opened from a folder.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator


class interactive_figure(nodes.General, nodes.Element):
    """A figure with controls: its name, its alternative text, and its caption as children."""


class InteractiveDirective(SphinxDirective):
    required_arguments = 1
    has_content = True
    option_spec = {"alt": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if "alt" not in self.options:
            raise self.error(f"the interactive figure {name} has no :alt: text")
        if not _script(self.env.app, name):
            raise self.error(f"the interactive figure {name} has no script {name}.js in _static")
        figure = interactive_figure(name=name, alt=" ".join(self.options["alt"].split()))
        self.set_source_info(figure)
        self.state.nested_parse(self.content, self.content_offset, figure)
        return [figure]


def _script(app: Sphinx, name: str) -> Path | None:
    """The figure's script in one of the site's static folders, if it is there."""
    folders = [Path(app.confdir, folder) for folder in app.config.html_static_path]
    found = [folder / f"{name}.js" for folder in folders if (folder / f"{name}.js").is_file()]
    return found[0] if found else None


def visit_interactive_figure(translator: HTML5Translator, node: interactive_figure) -> None:
    name, alt = escape(node["name"]), escape(node["alt"])
    translator.body.append(
        f'<figure class="interactive" data-figure="{name}">'
        f'<div class="interactive-box" role="group" aria-label="{alt}"></div>'
        f"<noscript><p>This figure has controls that need JavaScript. {alt}</p></noscript>"
        "<figcaption>"
    )


def depart_interactive_figure(translator: HTML5Translator, node: interactive_figure) -> None:
    translator.body.append("</figcaption></figure>\n")


def add_scripts(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    names = sorted(
        {figure["name"] for figure in doctree.findall(interactive_figure)} if doctree else ()
    )
    for script in ["interactive", *names] if names else []:
        app.add_js_file(f"{script}.js", loading_method="defer")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(interactive_figure, html=(visit_interactive_figure, depart_interactive_figure))
    app.add_directive("interactive", InteractiveDirective)
    app.connect("html-page-context", add_scripts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
