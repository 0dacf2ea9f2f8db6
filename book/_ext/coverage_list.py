"""What the course must teach, and where it does: marks in the lessons, a table in the appendix.

``book/coverage.toml`` lists the rows and the claims. A lesson marks the section that teaches a row,

    ```{covers} S1 S2
    ```

and the box of a claim marks itself (see ``asides``). The directive ``{coverage} rows`` or
``{coverage} claims`` becomes a table of the list with links to these places, so what the table says
is what the lessons hold. An unknown name stops the build.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

LIST = "book/coverage.toml"
LATER = "in a later chapter"
KEY = "has coverage tables"


class coverage_table(nodes.General, nodes.Element):
    """Where the table of one kind, "rows" or "claims", will stand."""


class Covers(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        return [node for name in self.arguments[0].split() for node in mark(self, name)]


class Coverage(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(LIST)
        self.env.metadata[self.env.docname][KEY] = True
        return [coverage_table(kind=self.arguments[0])]


def entries(root: Path) -> dict[str, dict[str, Any]]:
    """The list: "rows" and "claims", each by name."""
    return tomllib.loads((root / LIST).read_text(encoding="utf-8"))


def mark(directive: SphinxDirective, name: str) -> list[nodes.Node]:
    """A place that a link can lead to, noted as the one where `name` is taught."""
    env = directive.env
    known = entries(Path(env.srcdir))
    if not any(name in names for names in known.values()):
        raise directive.error(f"{LIST} lists no row and no claim {name}")
    anchor = f"covers-{name.lower()}-{env.new_serialno('covers')}"
    _places(env).setdefault(env.docname, []).append((name, anchor))
    return [nodes.target("", "", ids=[anchor])]


def _places(env: BuildEnvironment) -> dict[str, list[tuple[str, str]]]:
    """By page: the names that it marks, each with its anchor."""
    if not hasattr(env, "covered_places"):
        env.covered_places = {}  # type: ignore[attr-defined]
    return env.covered_places  # type: ignore[attr-defined,no-any-return]


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _places(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    _places(env).update(_places(other))


def reread_tables(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Pages with a table are written anew whenever any page was read."""
    return [name for name, known in env.metadata.items() if KEY in known]


def fill_tables(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    known = entries(Path(app.srcdir)) if list(doctree.findall(coverage_table)) else {}
    for place in list(doctree.findall(coverage_table)):
        rows = known[place["kind"]]
        if place["kind"] == "rows":
            head = ("", "what", "lesson", "exercise")
            body = [
                (
                    _text(name),
                    _text(row["what"]),
                    _lessons(app, docname, name),
                    _exercises(app, docname, row.get("exercises", [])),
                )
                for name, row in rows.items()
            ]
        else:
            head = ("the claim", "what is true", "tested in")
            body = [
                (_text(row["claim"]), _text(row["true"]), _lessons(app, docname, name))
                for name, row in rows.items()
            ]
        place.replace_self(table(head, body))


def _text(text: str) -> nodes.paragraph:
    return nodes.paragraph("", text)


def _lessons(app: Sphinx, here: str, name: str) -> nodes.paragraph:
    links: dict[str, nodes.Node] = {}
    for docname, places in _places(app.env).items():
        for marked, anchor in places:
            if marked == name and docname not in links:
                links[docname] = _link(app, here, docname, anchor)
    ordered = [links[page] for page in sorted(links)]
    return _joined(ordered) if ordered else _text(LATER)


def _exercises(app: Sphinx, here: str, names: Iterable[str]) -> nodes.paragraph:
    pages = [f"exercises/{name}/{name}" for name in names]
    return _joined([_link(app, here, page) for page in pages if page in app.env.titles])


def _link(app: Sphinx, here: str, docname: str, anchor: str = "") -> nodes.Node:
    address = app.builder.get_relative_uri(here, docname) + (f"#{anchor}" if anchor else "")
    title = app.env.titles[docname].astext()
    return nodes.reference("", title, refuri=address, internal=True)


def _joined(links: list[nodes.Node]) -> nodes.paragraph:
    line = nodes.paragraph()
    for number, link in enumerate(links):
        line += [nodes.Text(", "), link] if number else [link]
    return line


def table(head: Iterable[str], body: Iterable[Iterable[nodes.Node]]) -> nodes.table:
    """A table of docutils: a head of plain words, and rows of nodes."""
    titles = [_text(title) for title in head]
    group = nodes.tgroup(cols=len(titles))
    group += [nodes.colspec(colwidth=1) for _ in titles]
    group += nodes.thead("", _row(titles))
    group += nodes.tbody("", *(_row(cells) for cells in body))
    return nodes.table("", group)


def _row(cells: Iterable[nodes.Node]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", cell) for cell in cells))


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(coverage_table)
    app.add_directive("covers", Covers)
    app.add_directive("coverage", Coverage)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", reread_tables)
    app.connect("doctree-resolved", fill_tables)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
