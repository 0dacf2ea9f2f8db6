"""The directives ``predict`` and ``reveal``: say what will come, then see it.

    ```{predict}
    How much is left after ten steps?

    - half
    - a thousandth
    ```

    a code cell

    Almost nothing is left, because ...

    ```{reveal}
    ```

A prediction is a choice where the box ends with a list, a number where it has the option ``number``
(its value is the unit, and may be empty), and else a line of text.

What stands between the two is folded into a ``<details>``: the outputs, and all that follows. The
code of the cells right behind the box stays in sight, because it is what one predicts from.
The fold is made from the document tree. Tags of cells would do it too, but they are a part of what
the execution cache knows a lesson by.

Without JavaScript a click opens the fold. With it ``predictions.js`` opens it for whoever answers,
and keeps the answer in the browser.
"""

from __future__ import annotations

from hashlib import sha256
from html import escape

from docutils import nodes
from docutils.parsers.rst import directives
from page_scripts import script_where
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

SHOW = "Show what happens"
PREDICTIONS_FOLDED = 600
"""When a document's predictions are folded, among what is done to it: see `Sphinx.connect`."""

logger = logging.getLogger(__name__)


class predict(nodes.General, nodes.Element):
    """The box: its question, then a prediction_answers."""


class prediction_answers(nodes.General, nodes.Element):
    """Where the reader answers: holds a prediction_choice for each choice, else nothing."""


class prediction_choice(nodes.General, nodes.TextElement):
    pass


class reveal(nodes.General, nodes.Element):
    """What a prediction is about, folded; empty until `fold` has filled it."""


class Predict(SphinxDirective):
    has_content = True
    option_spec = {"number": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        box = predict()
        self.set_source_info(box)
        self.state.nested_parse(self.content, self.content_offset, box)
        choices = box.pop() if isinstance(box[-1], nodes.bullet_list) else None
        if choices and ("number" in self.options or len(choices.children) < 2):
            raise self.error("a prediction has two choices or more, or is a number, or a text")
        if not box.children:
            raise self.error("a prediction has a question above its choices")
        box["name"] = f"predict-{sha256(box.astext().encode()).hexdigest()[:8]}"
        box["ids"] = [box["name"]]  # before those of targets in front of it
        kind = "choice" if choices else "number" if "number" in self.options else "text"
        answers = prediction_answers(kind=kind, name=box["name"], unit=self.options.get("number"))
        for number, item in enumerate(choices or (), start=1):
            answers += _choice(item, box["name"], number)
        box += answers
        return [box]


class Reveal(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        mark = reveal()
        self.set_source_info(mark)
        return [mark]


def _choice(item: nodes.Node, name: str, number: int) -> prediction_choice:
    choice = prediction_choice(name=name, number=number)
    for paragraph in item.children:
        choice += paragraph.children
    return choice


def fold_all(app: Sphinx, doctree: nodes.document) -> None:
    """Fold what stands between each prediction and its end."""
    for box in list(doctree.findall(predict)):
        following = box.parent[box.parent.index(box) + 1 :]
        end = next((n for n in following if isinstance(n, (predict, reveal))), None)
        if isinstance(end, reveal):
            fold(box, following[: following.index(end)], end)
        else:
            logger.warning("a prediction without a {reveal} in its section", location=box)
    for mark in doctree.findall(reveal):
        if not mark.children:
            logger.warning("a {reveal} without a {predict} and something to fold", location=mark)


def fold(box: predict, between: list[nodes.Element], end: reveal) -> None:
    """Move what stands between a box and its end into the end, but for the code in front."""
    end["name"] = box["name"]
    in_front = True
    for node in between:
        in_front = in_front and (_is_cell(node) or isinstance(node, nodes.target))
        parts = _outputs(node) if in_front else [node]
        for part in parts:
            part.parent.remove(part)
            end += part


def _is_cell(node: nodes.Element) -> bool:
    """Whether it is a code cell whose code is in sight."""
    classes = node.get("classes", ())
    return "cell" in classes and not any(c.startswith("tag_hide") for c in classes)


def _outputs(cell: nodes.Element) -> list[nodes.Element]:
    return [part for part in cell.children if "cell_output" in part.get("classes", ())]


def visit_predict(translator: HTML5Translator, node: predict) -> None:
    translator.body.append(
        translator.starttag(node, "div", CLASS="admonition tip predict")
        + '<p class="admonition-title">Predict</p>\n'
    )


def depart_predict(translator: HTML5Translator, node: predict) -> None:
    translator.body.append("</div>\n")


def visit_answers(translator: HTML5Translator, node: prediction_answers) -> None:
    role = 'role="radiogroup" ' if node["kind"] == "choice" else ""
    translator.body.append(
        f'<form class="prediction by-{node["kind"]}" autocomplete="off">'
        f'<div {role}aria-label="Your prediction">'
    )
    if node["kind"] != "choice":
        translator.body.append(_field(node))


def _field(node: prediction_answers) -> str:
    name = f"{node['name']}-answer"
    mode = 'inputmode="decimal"' if node["kind"] == "number" else ""
    unit = f'<span class="prediction-unit">{escape(node["unit"])}</span>' if node["unit"] else ""
    label = "Your number" if node["kind"] == "number" else "Your answer"
    return (
        f'<label for="{name}">{label}</label> '
        f'<input type="text" id="{name}" {mode} maxlength="200">{unit} '
        '<button type="submit">Compare</button>'
    )


def depart_answers(translator: HTML5Translator, node: prediction_answers) -> None:
    translator.body.append("</div></form>\n")


def visit_choice(translator: HTML5Translator, node: prediction_choice) -> None:
    identifier = f"{node['name']}-{node['number']}"
    translator.body.append(
        f'<div class="prediction-choice"><input type="radio" name="{node["name"]}" '
        f'id="{identifier}" value="{node["number"]}"><label for="{identifier}">'
    )


def depart_choice(translator: HTML5Translator, node: prediction_choice) -> None:
    translator.body.append("</label></div>\n")


def visit_reveal(translator: HTML5Translator, node: reveal) -> None:
    translator.body.append(
        f'<details class="reveal" data-predict="{node["name"]}"><summary>{SHOW}</summary>\n'
    )


def depart_reveal(translator: HTML5Translator, node: reveal) -> None:
    translator.body.append("</details>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(predict, html=(visit_predict, depart_predict))
    app.add_node(prediction_answers, html=(visit_answers, depart_answers))
    app.add_node(prediction_choice, html=(visit_choice, depart_choice))
    app.add_node(reveal, html=(visit_reveal, depart_reveal))
    app.add_directive("predict", Predict)
    app.add_directive("reveal", Reveal)
    app.connect("doctree-read", fold_all, priority=PREDICTIONS_FOLDED)
    app.connect("html-page-context", script_where(predict, "predictions.js"))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
