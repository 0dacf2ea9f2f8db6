"""The way through the course: a chapter, its exercises, the next chapter, and what is left last."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from rnncourse._exercise import CHAPTERS as ASSIGNMENTS

from .site import EXERCISES, LESSONS, NO_CHAPTER, PAGES, PATH, ROOT, TOC


def text(page: str) -> str:
    return (ROOT / f"{page}.md").read_text(encoding="utf-8")


def title(page: str) -> str:
    found = re.search(r"^# (.+)$", text(page), re.MULTILINE)
    assert found
    return found[1]


def cells(room: str, page: str) -> list[str]:
    """The sources of a notebook's cells."""
    path = ROOT / room / f"{page.partition('/')[2]}.ipynb"
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found]


def chapter_of(exercise: str) -> str:
    """The lesson before an exercise in the contents."""
    return [page for page in PATH[: PATH.index(exercise)] if page in LESSONS][-1]


def test_exercises_are_in_the_order_of_the_course() -> None:
    assert [f"exercises/{name}/{name}" for name in ASSIGNMENTS] == EXERCISES


def test_an_exercise_is_called_one_in_the_contents() -> None:
    listed = re.findall(r"file: (exercises/\S+)\n +title: \"Exercise: \w+\"", TOC)
    assert listed == EXERCISES


def test_only_what_a_reader_looks_up_or_a_teacher_needs_follows_the_last_chapter() -> None:
    before = PAGES[: PAGES.index(PATH[0])]
    after = PAGES[PAGES.index(PATH[-1]) + 1 :]
    assert before == ["book/index", "book/use"]
    assert {"book/teach", "book/conventions", "book/coverage", "book/status"} <= set(after)


@pytest.mark.parametrize("exercise", [one for one in EXERCISES if one != NO_CHAPTER])
def test_an_exercise_follows_the_chapter_that_sends_there(exercise: str) -> None:
    chapter = chapter_of(exercise)
    assert f"](../{exercise})" in text(chapter).partition("## Your turn")[2]
    assert f"*{title(chapter)}*" in cells("solutions", exercise)[0]


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("room", ["solutions", "exercises"])
def test_a_notebook_ends_with_what_comes_next(room: str, exercise: str) -> None:
    _, found, said = cells(room, exercise)[-1].rpartition("\n\n**Next:** ")
    assert found
    later = PATH[PATH.index(exercise) + 1 :]
    if not later:
        assert "last notebook" in said
    elif later[0] in LESSONS:
        assert f"*{title(later[0])}*" in said
    exercises = [page for page in later if page in EXERCISES]
    for one in exercises[:1]:
        assert f"`{one.partition('/')[2]}.ipynb`" in said


def neighbours(site: Path, page: str) -> dict[str, str]:
    """The pages before ("prev") and after ("next") a page of the site."""
    here = site / f"{page}.html"
    link = re.compile(r'<a class="(?:left|right)-(prev|next)"\s+href="([^"]+)"')
    return {
        way: (here.parent / address).resolve().relative_to(site).with_suffix("").as_posix()
        for way, address in link.findall(here.read_text(encoding="utf-8"))
    }


def test_previous_and_next_go_that_way(site: Path) -> None:
    for before, after in pairwise(PAGES):
        assert neighbours(site, before)["next"] == after
        assert neighbours(site, after)["prev"] == before


def test_the_front_page_starts_at_the_first_chapter() -> None:
    actions = re.search(r"^```\{div\} actions\n(.*?)^```", text("book/index"), re.M | re.S)
    assert actions
    first = re.findall(r"\]\((\w+)\)", actions[1])[0]
    assert f"book/{first}" == PATH[0]
