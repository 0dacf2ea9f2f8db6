"""What the search page knows beside Sphinx's index, and an index without formulas.

Sphinx's index says which pages have a word. The script ``search.js`` puts them in an order and
shows a piece of their text; ``searchtext.js``, which is made here, gives it

- the pages in the order of the contents, with the text of each section, without formulas;
- the terms that lessons explain, in English and Chinese (see ``terms``);
- what readers ask for in other words (``book/search.toml``).

Only the search page loads any of it. A page with ``nosearch`` in its head is left out.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata
from terms import known_terms

FILE = "searchtext.js"
LIST = "book/search.toml"
BEFORE = "const COURSE = "
LEFT_OUT = (nodes.math_block, nodes.raw, nodes.comment)
BRACKETS = re.compile(r"\s*[（(]([^()（）]*)[)）]")

Section = tuple[str, str, str]
"""Its anchor, its heading and its text; the part before the first section has neither."""


def note_text(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if app.builder.format == "html":
        _index_words_only(app.builder)
        _texts(app.builder)[docname] = list(sections(without_formulas(doctree)))


def _index_words_only(builder: Builder) -> None:
    """Give Sphinx's index pages without formulas, from the page on that is written next."""
    # Sphinx makes the index after its last event before the pages.
    indexer = getattr(builder, "indexer", None)
    if indexer is None or hasattr(indexer, "words_only"):
        return
    feed, indexer.words_only = indexer.feed, True

    def feed_words(docname: str, filename: str, title: str, doctree: nodes.document) -> None:
        feed(docname, filename, title, without_formulas(doctree))

    indexer.feed = feed_words


def _texts(builder: Builder) -> dict[str, list[Section]]:
    """By page: its sections, of the pages that this build has written."""
    if not hasattr(builder, "search_texts"):
        builder.search_texts = {}  # type: ignore[attr-defined]
    return builder.search_texts  # type: ignore[attr-defined,no-any-return]


def without_formulas(doctree: nodes.document) -> nodes.document:
    """A copy of a page with its words: a formula in a sentence becomes three points."""
    copy = doctree.deepcopy()
    for node in list(copy.findall(lambda node: isinstance(node, LEFT_OUT))):
        node.parent.remove(node)
    for formula in list(copy.findall(nodes.math)):
        formula.replace_self(nodes.Text("…"))
    return copy


def sections(doctree: nodes.document) -> Iterator[Section]:
    """The part of a page before its first section, and its sections. The page is taken apart."""
    page = next(iter(doctree.findall(nodes.section)), None)
    if page is None:
        return
    parts = [child for child in page.children if isinstance(child, nodes.section)]
    for part in parts:
        page.remove(part)
    for part in (page, *parts):
        title = next((child for child in part.children if isinstance(child, nodes.title)), None)
        if title is not None:
            part.remove(title)
        heading = "" if part is page or title is None else title.astext()
        anchor = "" if part is page else part["ids"][0]
        yield anchor, heading, " ".join(part.astext().split())


def names(term: str) -> Iterator[str]:
    """What a term is called: itself, and what stands behind it in brackets."""
    plain = re.sub(r"[$`*]", "", term)
    yield BRACKETS.sub("", plain)
    yield from BRACKETS.findall(plain)


def explained(env: BuildEnvironment, order: list[str]) -> dict[str, list[str]]:
    """By name of a term, in English and Chinese: the lessons that explain it, in their order."""
    found: dict[str, list[str]] = {}
    for docname in order:
        for term in known_terms(env).get(docname, ()):
            for name in (*names(term.english), *names(term.chinese)):
                found.setdefault(name.lower(), []).append(docname)
    return found


def asked(env: BuildEnvironment) -> dict[str, str]:
    """The list of what readers ask for.

    Raises:
        ExtensionError: it names a page that is not there.
    """
    path = Path(env.srcdir, LIST)
    found: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8"))
    for words, place in found.items():
        if place.partition("#")[0] not in env.found_docs:
            raise ExtensionError(f"{LIST}: {words!r} leads to {place}, and there is no such page")
    return found


def write_texts(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    env, file = app.env, Path(app.outdir, FILE)
    # What this build has not written stands in the file of the last one.
    texts = _written(file) | _texts(app.builder)
    order = [name for name in env.collect_relations() if "nosearch" not in env.metadata[name]]
    content = {
        "pages": {name: texts[name] for name in order if name in texts},
        "terms": explained(env, order),
        "asked": asked(env),
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    file.write_text(f"{BEFORE}{text};\n", encoding="utf-8")


def _written(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    text = file.read_text(encoding="utf-8").removeprefix(BEFORE).rstrip(";\n")
    pages: dict[str, Any] = json.loads(text)["pages"]
    return pages


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("doctree-resolved", note_text, priority=900)  # with tables that others fill in
    app.connect("build-finished", write_texts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
