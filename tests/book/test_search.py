"""What a reader finds with the words that readers use, also from a folder and in Chinese."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.browser import Open, Visit

from .site import EXERCISES, NO_CHAPTER, PAGES, ROOT, read

FIRST = {
    "forget gate": "book/lstm",
    "vanishing gradient": "book/clipping",
    "how to install": "book/use",
    "hand in": "book/use",
    "LSTM": "book/lstm",
    "梯度消失": "book/clipping",
    "遗忘门": "book/lstm",
    "embedding": "book/embedding",
    "padding": "book/shapes",
    "teacher forcing": "book/training",
    "dropout": "book/glossary",
    "perplexity": "book/glossary",
    "transformer": "book/gru",
    "beam search": "book/glossary",
    "attention": "book/sequences",
    "clip": "book/clipping",
    "BPTT": "book/bptt",
    "softmax": "exercises/models/models",
    "learning rate": "book/training",
    "checkout": "book/use",
    "clip_grad_norm_": "book/clipping",
}
AMONG_THREE = {
    "LSTM vs GRU": "book/gru",
    "门": "book/gru",
    "梯度": "book/training",
    "hidden state": "book/sequences",
    "gradients vanish": "book/clipping",
    "constructor of nn.LSTM": "book/lstm",
}
TOOLS = ("searchtools.js", "language_data.js", "searchindex.js", "searchtext.js", "search.js")


def search(visit: Open, root: str, words: str) -> Visit:
    """The search page with what it found."""
    visited = visit(f"{root}search.html?q={quote(words)}")
    visited.page.locator("p.search-summary:not(:empty)").wait_for()
    return visited


def found(visited: Visit) -> list[str]:
    """The pages that a search lists, in their order."""
    links = visited.page.locator("#search-results li > a").all()
    addresses = [link.get_attribute("href") or "" for link in links]
    return [address.removeprefix("./").removesuffix(".html") for address in addresses]


@pytest.mark.parametrize("words", FIRST)
def test_the_page_that_is_meant_comes_first(words: str, address: str, visit: Open) -> None:
    visited = search(visit, address, words)
    assert found(visited)[:1] == [FIRST[words]]
    assert visited.complaints == []


@pytest.mark.parametrize("words", AMONG_THREE)
def test_the_page_that_is_meant_is_among_the_first_three(
    words: str, address: str, visit: Open
) -> None:
    assert AMONG_THREE[words] in found(search(visit, address, words))[:3]


@pytest.mark.parametrize("page", [page for page in EXERCISES if page != NO_CHAPTER])
def test_a_chapter_comes_before_its_exercise(page: str, address: str, visit: Open) -> None:
    chapter = {"rnn": "shapes"}.get(Path(page).name, Path(page).name)
    title = re.search(r"^# (.+?)(?::|$)", (ROOT / "book" / f"{chapter}.md").read_text(), re.M)
    assert title
    pages = found(search(visit, address, title[1]))
    assert pages[:1] == [f"book/{chapter}"]


@pytest.mark.parametrize("words", ["forget gate", "遗忘门", "gradient", "how to install"])
def test_a_search_works_from_a_folder_and_shows_text_of_the_page(
    words: str, site: Path, visit: Open
) -> None:
    visited = search(visit, f"{site.as_uri()}/", words)
    assert visited.complaints == []
    assert not any(re.search(r"/(book|exercises)/.*\.html", one) for one in visited.requests)
    pieces = visited.page.locator("#search-results p.context").all_inner_texts()
    assert len(pieces) == len(found(visited)) > 0
    for piece in pieces:
        assert len(piece) > 80
        assert not re.search(r"\\[(\[a-z]|\.pdf|Contents\b|Toggle|Open in Colab", piece), piece


def test_a_section_of_a_page_can_be_opened(address: str, visit: Open) -> None:
    page = search(visit, address, "hand in").page
    page.locator("#search-results li").first.get_by_role("link", name="Your machine").click()
    page.wait_for_url(f"{address}book/use.html#your-machine")


def test_what_readers_ask_for_leads_to_places_that_are_there(site: Path) -> None:
    asked = tomllib.loads((ROOT / "book" / "search.toml").read_text(encoding="utf-8"))
    for place in asked.values():
        page, _, anchor = place.partition("#")
        assert not anchor or anchor in read(site / f"{page}.html").ids, place


def test_neither_formulas_nor_pages_for_authors_are_in_the_index(site: Path) -> None:
    index = content(site / "searchindex.js", "Search.setIndex(", ")")
    assert "gate" in index["terms"]
    assert not {"frac", "cdot"} & set(index["terms"])
    texts = content(site / "searchtext.js", "const COURSE = ", ";\n")
    assert list(texts["pages"]) == [
        page for page in PAGES if page not in ("book/status", "book/coverage")
    ]
    written = [text for sections in texts["pages"].values() for *_, text in sections]
    assert not any(re.search(r"\\(frac|cdot|tanh|sigma|partial)", text) for text in written)


def content(file: Path, before: str, after: str) -> Any:
    text = file.read_text(encoding="utf-8")
    assert text.startswith(before)
    return json.loads(text.removeprefix(before).removesuffix(after))


@pytest.mark.parametrize("page", PAGES)
def test_only_the_search_page_loads_the_search(page: str, site: Path) -> None:
    names = {Path(source).name.partition("?")[0] for source in read(site / f"{page}.html").sources}
    assert names.isdisjoint(TOOLS)
    of_search = {Path(source).name for source in read(site / "search.html").sources}
    assert {name.partition("?")[0] for name in of_search} >= set(TOOLS)
