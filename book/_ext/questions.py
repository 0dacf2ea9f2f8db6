"""The directive ``question``: a question whose answers say at once why they are right or wrong.

    ```{question} Does the forget gate draw a random number?
    - ( ) Yes, with probability f | It is a number that multiplies the state. Nothing is drawn.
    - (x) No, it multiplies | The same input always gives the same state.
    ```

One ``(x)`` makes radio buttons, several make checkboxes. Question, answers and reasons take
inline Markdown and maths. A question with code in it needs a fence of colons, ``:::{question}``,
because Markdown takes no backticks behind a fence of backticks.

Without JavaScript the reasons stand in a ``<details>``; with it ``questions.js`` shows the
reason of the chosen answer. Nothing is stored or sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from docutils import nodes
from page_scripts import script_where
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

ANSWER = re.compile(r"- \((?P<mark>[ xX])\) (?P<rest>.+)")
CODE_OR_MATHS = re.compile(r"`[^`]*`|\$[^$]*\$")


class question(nodes.General, nodes.Element):
    """A whole question: a question_title, question_answers, and question_reasons."""


class question_title(nodes.General, nodes.TextElement):
    pass


class question_answer(nodes.General, nodes.TextElement):
    pass


class question_reasons(nodes.General, nodes.Element):
    pass


class question_reason(nodes.General, nodes.TextElement):
    pass


@dataclass(frozen=True)
class Answer:
    right: bool
    text: str
    reason: str


class QuestionDirective(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        answers = self._answers()
        right = sum(answer.right for answer in answers)
        if len(answers) < 2 or not right:
            raise self.error("a question needs two answers or more, and one of them right")
        name = f"question-{self.env.new_serialno('question') + 1}"
        box = question(name=name)
        self.set_source_info(box)
        box += self._inline(question_title(), self.arguments[0])
        reasons = question_reasons()
        for number, answer in enumerate(answers, start=1):
            place = {"name": name, "number": number, "right": answer.right}
            box += self._inline(question_answer(kind=_kind(right), **place), answer.text)
            reasons += self._inline(question_reason(**place), answer.reason)
        box += reasons
        return [box]

    def _answers(self) -> list[Answer]:
        try:
            return parse_answers(list(self.content))
        except ValueError as problem:
            raise self.error(str(problem)) from problem

    def _inline(self, node: nodes.TextElement, text: str) -> nodes.TextElement:
        children, messages = self.state.inline_text(text, self.lineno)
        node.extend([*children, *messages])
        return node


def parse_answers(lines: list[str]) -> list[Answer]:
    """The answers of a question's body; an indented line goes on with the one above it."""
    items: list[str] = []
    for line in filter(str.strip, lines):
        if line.startswith(" ") and items:
            items[-1] += " " + line.strip()
        else:
            items.append(line)
    return [_parse_answer(item) for item in items]


def _parse_answer(item: str) -> Answer:
    found = ANSWER.fullmatch(item)
    if not found:
        raise ValueError(f"an answer is written '- ( ) answer | reason', not {item!r}")
    rest = found["rest"]
    # A bar inside code or maths is not the one before the reason.
    hidden = CODE_OR_MATHS.sub(lambda span: "_" * len(span[0]), rest)
    if " | " not in hidden:
        raise ValueError(f"the answer {rest!r} has no reason after ' | '")
    bar = hidden.index(" | ")
    return Answer(found["mark"] != " ", rest[:bar].strip(), rest[bar + 3 :].strip())


def _kind(right: int) -> str:
    return "radio" if right == 1 else "checkbox"


def visit_question(translator: HTML5Translator, node: question) -> None:
    translator.body.append('<form class="question" autocomplete="off"><fieldset>')


def depart_question(translator: HTML5Translator, node: question) -> None:
    translator.body.append("</form>\n")


def visit_title(translator: HTML5Translator, node: question_title) -> None:
    translator.body.append("<legend>")


def depart_title(translator: HTML5Translator, node: question_title) -> None:
    translator.body.append("</legend>\n")


def visit_answer(translator: HTML5Translator, node: question_answer) -> None:
    identifier = f"{node['name']}-{node['number']}"
    translator.body.append(
        f'<div class="question-answer"><input type="{node["kind"]}" name="{node["name"]}" '
        f'id="{identifier}" value="{node["number"]}"><label for="{identifier}">'
    )


def depart_answer(translator: HTML5Translator, node: question_answer) -> None:
    translator.body.append("</label></div>\n")


def visit_reasons(translator: HTML5Translator, node: question_reasons) -> None:
    translator.body.append(
        '</fieldset><div class="question-verdict" role="status" aria-live="polite"></div>'
        '<details class="question-reasons"><summary>Each answer, and why</summary><ol>\n'
    )


def depart_reasons(translator: HTML5Translator, node: question_reasons) -> None:
    translator.body.append("</ol></details>")


def visit_reason(translator: HTML5Translator, node: question_reason) -> None:
    word, right = ("Right", "true") if node["right"] else ("Wrong", "false")
    translator.body.append(
        f'<li data-right="{right}"><strong>{word}.</strong> <span class="question-reason">'
    )


def depart_reason(translator: HTML5Translator, node: question_reason) -> None:
    translator.body.append("</span></li>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(question, html=(visit_question, depart_question))
    app.add_node(question_title, html=(visit_title, depart_title))
    app.add_node(question_answer, html=(visit_answer, depart_answer))
    app.add_node(question_reasons, html=(visit_reasons, depart_reasons))
    app.add_node(question_reason, html=(visit_reason, depart_reason))
    app.add_directive("question", QuestionDirective)
    app.connect("html-page-context", script_where(question, "questions.js"))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
