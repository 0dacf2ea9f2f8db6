"""Terms in English and Chinese: a table in each lesson, and all of them in one glossary.

    ```{terms}
    forget gate | 遗忘门 | $f$
    vanishing gradient | 梯度消失 |
    ```

Each line is the English term, the Chinese one, and what stands for it in the lesson (may be
empty). All take inline Markdown and maths. The directive ``{all-terms}`` becomes the glossary: each
term once, in alphabetical order, with links to the lessons that explain it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from coverage_list import table
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

BAR = re.compile(r"\s\|(?:\s|$)")
KEY = "has all terms"


class all_terms(nodes.General, nodes.Element):
    """Where the glossary will stand."""


@dataclass(frozen=True)
class Term:
    english: str
    chinese: str
    symbol: str


class Terms(SphinxDirective):
    has_content = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        found = [self._term(line) for line in self.content if line.strip()]
        known_terms(self.env)[self.env.docname] = found
        body = [
            [self._cell(text) for text in (one.english, one.chinese, one.symbol)] for one in found
        ]
        return [_terms_table("here", body)]

    def _term(self, line: str) -> Term:
        parts = [part.strip() for part in BAR.split(line)]
        if len(parts) != 3 or not all(parts[:2]):
            raise self.error(f"a term is written English | 中文 | symbol, and not {line!r}")
        return Term(*parts)

    def _cell(self, text: str) -> nodes.paragraph:
        cell = nodes.paragraph()
        children, messages = self.state.inline_text(text, self.lineno)
        cell += [*children, *messages]
        return cell


class AllTerms(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        self.env.metadata[self.env.docname][KEY] = True
        return [all_terms()]


def _terms_table(last: str, body: list[list[nodes.paragraph]]) -> nodes.table:
    made = table(("English", "中文", last), body)
    made["classes"].append("terms")  # on a narrow page the Chinese term stays in one line
    return made


def known_terms(env: BuildEnvironment) -> dict[str, list[Term]]:
    """By page: its terms."""
    if not hasattr(env, "known_terms"):
        env.known_terms = {}  # type: ignore[attr-defined]
    return env.known_terms  # type: ignore[attr-defined,no-any-return]


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    known_terms(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    known_terms(env).update(known_terms(other))


def rewrite_glossary(app: Sphinx, env: BuildEnvironment) -> list[str]:
    return [name for name, known in env.metadata.items() if KEY in known]


def fill_glossary(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for place in list(doctree.findall(all_terms)):
        place.replace_self(_terms_table("explained in", _glossary(app, docname)))


def _glossary(app: Sphinx, here: str) -> list[list[nodes.paragraph]]:
    """One row a term, whatever the case it is written in."""
    chinese: dict[str, str] = {}
    lessons: dict[str, nodes.paragraph] = {}
    for docname, terms in known_terms(app.env).items():
        for term in terms:
            name = re.sub(r"[$`*]", "", term.english)
            chinese.setdefault(name.lower(), term.chinese)
            line = lessons.setdefault(name.lower(), nodes.paragraph())
            if line.children:
                line += nodes.Text(", ")
            address = app.builder.get_relative_uri(here, docname)
            title = app.env.titles[docname].astext()
            line += nodes.reference("", title, refuri=address, internal=True)
    return [
        [nodes.paragraph("", name), nodes.paragraph("", chinese[name]), lessons[name]]
        for name in sorted(chinese)
    ]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(all_terms)
    app.add_directive("terms", Terms)
    app.add_directive("all-terms", AllTerms)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", rewrite_glossary)
    app.connect("doctree-resolved", fill_glossary)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
