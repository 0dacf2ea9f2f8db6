"""Every lesson keeps the same promises: its parts, its marks, and each number computed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser import Open

from .site import CHAPTERS, EXERCISES, LESSONS, ROOT, read

every_chapter = pytest.mark.parametrize("page", CHAPTERS)

# Taught in the lessons of the models and of the heartbeats, which are not written yet.
LATER = {"S10", "S23", "S24", "three-epochs-early-stopping"}
CELL = re.compile(
    r"^```\{code-cell\}[^\n]*\n(?P<options>---\n.*?^---\n|)(?P<code>.*?)^```$", re.M | re.S
)
COLUMNS = 66
"""The longest line of code in a lesson: on a phone more is behind the edge."""
LAST = ["What to remember", "Words", "Your turn", "References"]


def text_of(page: str) -> str:
    return (ROOT / f"{page}.md").read_text(encoding="utf-8")


def prose(text: str) -> str:
    """What a reader reads as sentences: no cells, no drawings, no addresses."""
    text = text.split("---\n", 2)[2]
    text = CELL.sub("", text)
    text = re.sub(r"<svg.*?</svg>", "", text, flags=re.S)
    return re.sub(r"\]\([^)]*\)|\{glue:text\}`[^`]*`", "", text)


def marked(text: str) -> set[str]:
    covers = re.findall(r"^```\{covers\} (.+)$", text, re.M)
    return {name for line in covers for name in line.split()} | set(
        re.findall(r"^```\{claim\} (\S+)$", text, re.M)
    )


@pytest.mark.parametrize("page", LESSONS)
def test_code_is_narrow_enough_to_be_read(page: str) -> None:
    cells = [cell for cell in CELL.finditer(text_of(page)) if "remove-" not in cell["options"]]
    shown = [cell["code"] for cell in cells if "hide-input" not in cell["options"]]
    lines = [line for code in shown for line in code.splitlines()]
    assert [line for line in lines if len(line) > COLUMNS] == []


@every_chapter
def test_a_lesson_has_its_parts(page: str) -> None:
    text = text_of(page)
    assert len(re.findall(r"^```\{predict\}", text, re.M)) >= 3
    assert len(re.findall(r"^(?:```|:::)\{question\}", text, re.M)) >= 3
    assert len(re.findall(r"^```\{interactive\}", text, re.M)) >= 1
    assert "\nYou will\n" in text
    assert "\n```{reading-time}\n```\n" in text
    assert "{cite" in text
    headings = re.findall(r"^## (.+)$", text, re.M)
    assert headings[-len(LAST) :] == LAST
    parts = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    assert re.findall(r"^(\d)\. ", parts["What to remember"], re.M) == list("12345")
    assert "```{terms}" in parts["Words"]
    leads_to = re.findall(r"\]\(\.\./(exercises/\w+/\w+)\)", parts["Your turn"])
    assert set(leads_to) <= set(EXERCISES)
    assert leads_to
    assert "```{bibliography}" in parts["References"]


@every_chapter
def test_a_lesson_starts_with_a_question(page: str) -> None:
    start = prose(text_of(page)).split("\nYou will\n")[0]
    assert "?" in start


@every_chapter
def test_every_measured_number_in_the_prose_comes_from_a_cell(page: str) -> None:
    text = text_of(page)
    code = "".join(cell["code"] for cell in CELL.finditer(text))
    numbers = re.findall(r"(?<![\w.])\d+\.\d+(?![\w.]*\d)", prose(text))
    assert [number for number in numbers if number not in code] == []


@every_chapter
def test_every_value_that_is_handed_over_is_quoted_and_the_other_way_round(page: str) -> None:
    text = text_of(page)
    code = "".join(cell["code"] for cell in CELL.finditer(text))
    quoted = set(re.findall(r"\{glue:text\}`(\w+)", text))
    plain = set(re.findall(r"glue\(\s*\"(\w+)\"", code))
    made = [
        re.sub(r"\{[^}]*\}", r"\\w+", one) for one in re.findall(r"glue\(\s*f\"([^\"]+)\"", code)
    ]
    assert plain <= quoted
    assert all(one in plain or any(re.fullmatch(name, one) for name in made) for one in quoted)


@every_chapter
def test_visible_code_is_narrow(page: str) -> None:
    cells = [cell.groupdict() for cell in CELL.finditer(text_of(page))]
    read = [cell["code"] for cell in cells if not re.search("hide|remove", cell["options"])]
    assert [line for code in read for line in code.splitlines() if len(line) > 64] == []


def test_the_lessons_mark_all_that_is_listed_but_for_later_chapters() -> None:
    listed = set(re.findall(r"^\[(?:rows|claims)\.(\S+)\]$", text_of_list(), re.M))
    assert set.union(*(marked(text_of(page)) for page in CHAPTERS)) == listed - LATER


def text_of_list() -> str:
    return (ROOT / "book" / "coverage.toml").read_text(encoding="utf-8")


def test_the_appendix_links_each_row_to_the_lesson_that_marks_it(
    site: Path, address: str, visit: Open
) -> None:
    page = visit(f"{address}book/coverage.html").page
    taught, claims = page.locator("table").all()
    assert taught.locator("tbody tr").count() == 26
    assert claims.locator("tbody tr").count() == text_of_list().count("[claims.")
    for row in taught.locator("tbody tr").all():
        name = row.locator("td").first.inner_text()
        links = [
            link.get_attribute("href") or "" for link in row.locator("td").nth(2).locator("a").all()
        ]
        lessons = {f"book/{link.partition('.html')[0]}" for link in links}
        assert lessons == {one for one in CHAPTERS if name in marked(text_of(one))}, name
        if name in LATER:
            assert row.locator("td").nth(2).inner_text() == "in a later chapter"
    for link in read(site / "book/coverage.html").links:
        if "#covers-" in link:
            path, _, anchor = link.partition("#")
            assert anchor in read(site / "book" / path).ids


def test_the_glossary_has_every_term_of_the_lessons(address: str, visit: Open) -> None:
    rows = visit(f"{address}book/glossary.html").page.locator("tbody tr").all()
    found = {row.locator("td").first.inner_text().lower() for row in rows}
    for page in CHAPTERS:
        terms = re.search(r"^```\{terms\}\n(.*?)^```", text_of(page), re.M | re.S)
        assert terms
        for line in terms[1].splitlines():
            english = line.split(" | ")[0]
            assert re.sub(r"[$`*]", "", english).lower() in found, english
    assert len(found) == len(rows)


def test_the_status_page_has_the_seconds_of_every_chapter(address: str, visit: Open) -> None:
    rows = visit(f"{address}book/status.html").page.locator("tbody tr").all()
    cells = [row.locator("td").all_inner_texts() for row in rows]
    seconds = {page.strip(): float(time) for page, _, _, time, _ in cells}
    assert set(CHAPTERS) <= set(seconds)
    assert all(time > 0 for time in seconds.values())
    assert {sign.strip() for *_, sign in cells} == {"✅"}
