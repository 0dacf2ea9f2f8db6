"""The directives ``closer`` and ``closer-end``: what a reader may leave out, folded.

    ```{closer} Why the bias starts at 1
    ```

    any text, code cells, predictions, but no heading

    ```{closer-end}
    ```

A code cell can stand in no other directive, so that the fold is made from the document tree, as
that of a prediction is (see ``predictions``). ``reading_time`` counts what is folded by itself.
"""

from __future__ import annotations

from docutils import nodes
from predictions import PREDICTIONS_FOLDED
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)


class closer(nodes.General, nodes.Element):
    """The fold: its title, and what stands in it once `fold_all` has filled it."""


class closer_title(nodes.Part, nodes.TextElement):
    pass


class closer_end(nodes.General, nodes.Element):
    pass


class Closer(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        parsed, messages = self.state.inline_text(self.arguments[0], self.lineno)
        box = closer("", closer_title("", "", *parsed))
        self.set_source_info(box)
        return [box, *messages]


class CloserEnd(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        mark = closer_end()
        self.set_source_info(mark)
        return [mark]


def fold_all(app: Sphinx, doctree: nodes.document) -> None:
    """Move what stands between each beginning and its end into the fold."""
    for box in list(doctree.findall(closer)):
        following = box.parent[box.parent.index(box) + 1 :]
        end = next((n for n in following if isinstance(n, (closer, closer_end))), None)
        if not isinstance(end, closer_end):
            logger.warning("a {closer} without a {closer-end} in its section", location=box)
            continue
        inside = following[: following.index(end)]
        if not inside:
            logger.warning("a {closer} with nothing to fold", location=box)
        for node in inside:
            box.parent.remove(node)
            box += node
        box.parent.remove(end)
    for mark in doctree.findall(closer_end):
        logger.warning("a {closer-end} without a {closer} in its section", location=mark)


def visit_closer(translator: HTML5Translator, node: closer) -> None:
    translator.body.append(translator.starttag(node, "details", CLASS="closer"))


def depart_closer(translator: HTML5Translator, node: closer) -> None:
    translator.body.append("</details>\n")


def visit_title(translator: HTML5Translator, node: closer_title) -> None:
    translator.body.append("<summary><span>Look closer:</span> ")


def depart_title(translator: HTML5Translator, node: closer_title) -> None:
    translator.body.append("</summary>\n")


def skip(translator: HTML5Translator, node: nodes.Element) -> None:
    """Nothing is written: a warning has been given."""
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(closer, html=(visit_closer, depart_closer))
    app.add_node(closer_title, html=(visit_title, depart_title))
    app.add_node(closer_end, html=(skip, None))
    app.add_directive("closer", Closer)
    app.add_directive("closer-end", CloserEnd)
    app.connect("doctree-read", fold_all, priority=PREDICTIONS_FOLDED + 1)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
