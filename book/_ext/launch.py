"""Where a page can be run: buttons under the title of each exercise and each lesson.

An exercise is a committed notebook, so Colab opens it on the main branch. A lesson is Markdown; its
notebook is made when the site is built (``notebooks.py``), and Colab opens it on the branch to
which it is published. The theme's own menu would offer a lesson's source, which does not run
elsewhere: there it leads to the notebook.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from addresses import NOTEBOOKS, notebook_name, read_addresses
from docutils import nodes
from notebooks import has_notebook
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

EXERCISES = "exercises/"


def places(app: Sphinx, docname: str) -> tuple[str, str] | None:
    """Where a page's notebook opens in Colab and where on the site it lies; None if it has none."""
    addresses = read_addresses(Path(app.srcdir))
    if docname.startswith(EXERCISES):
        return addresses.colab_exercise(docname), f"_sources/{docname}.ipynb"
    if has_notebook(app.env, docname):
        return addresses.colab_lesson(docname), f"{NOTEBOOKS}/{notebook_name(docname)}"
    return None


def _link(address: str, text: str, name: str) -> nodes.reference:
    return nodes.reference("", text, refuri=address, internal=False, classes=[name])


def add_links(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the ways to open a notebook under its page's title."""
    title = next(iter(doctree.findall(nodes.title)), None)
    found = places(app, docname)
    if found is None or title is None or app.builder.format != "html":
        return
    colab, file = found
    use = app.builder.get_relative_uri(docname, "book/use")
    up = "../" * docname.count("/")
    line = nodes.paragraph(classes=["open-notebook"])
    line += _link(colab, "Open in Colab", "open-primary")
    line += nodes.Text(" ")
    line += _link(f"{up}{file}", "Download the notebook", "open-secondary")
    line += nodes.Text(" ")
    line += _link(use, "Other ways to work", "open-secondary")
    title.parent.insert(title.parent.index(title) + 1, line)


def correct_buttons(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Drop the theme's Colab button, whose link Colab cannot open, and let its menu of downloads
    lead to a lesson's notebook."""
    if pagename.startswith(EXERCISES):
        return
    buttons = context.get("header_buttons", [])
    context["header_buttons"] = [one for one in buttons if one.get("label") != "launch-buttons"]
    found = places(app, pagename)
    for group in context["header_buttons"]:
        if found and group.get("label") == "download-buttons":
            kept = [one for one in group["buttons"] if one["label"] != "download-source-button"]
            group["buttons"] = kept
            for one in kept:
                if one["label"] == "download-notebook-button":
                    one["url"] = context["pathto"](found[1], 1)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("doctree-resolved", add_links)
    # After the theme's own handler (501) has made the buttons.
    app.connect("html-page-context", correct_buttons, priority=900)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
