"""Where a page can be run.

An exercise is a committed notebook, so Colab can open it: its page says so under the title, not
only behind the theme's small button. A lesson is Markdown, for which the theme would make a
link that Colab cannot open: lessons get none.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

EXERCISES = "exercises/"


def colab_address(app: Sphinx, docname: str) -> str:
    options = app.config.html_theme_options
    colab = options["launch_buttons"]["colab_url"].rstrip("/")
    project = options["repository_url"].removeprefix("https://github.com/").strip("/")
    return f"{colab}/github/{project}/blob/{options['repository_branch']}/{docname}.ipynb"


def _link(address: str, text: str, name: str) -> nodes.reference:
    return nodes.reference("", text, refuri=address, internal=False, classes=[name])


def add_links(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the ways to open an exercise under its title."""
    title = next(iter(doctree.findall(nodes.title)), None)
    if not docname.startswith(EXERCISES) or title is None or app.builder.format != "html":
        return
    use = app.builder.get_relative_uri(docname, "book/use")
    up = "../" * docname.count("/")
    line = nodes.paragraph(classes=["open-exercise"])
    line += _link(colab_address(app, docname), "Open in Colab", "open-primary")
    line += nodes.Text(" ")
    line += _link(f"{up}_sources/{docname}.ipynb", "Download the notebook", "open-secondary")
    line += nodes.Text(" ")
    line += _link(use, "Other ways to work", "open-secondary")
    title.parent.insert(title.parent.index(title) + 1, line)


def drop_dead_button(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    if pagename.startswith(EXERCISES):
        return
    buttons = context.get("header_buttons", [])
    context["header_buttons"] = [one for one in buttons if one.get("label") != "launch-buttons"]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("doctree-resolved", add_links)
    # After the theme's own handler (501) has made the button.
    app.connect("html-page-context", drop_dead_button, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
