"""Questions: how they are written, how they answer a mouse, a keyboard and a screen reader."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from tests import strength
from tests.browser import Open

from .site import LESSONS

ONE_RIGHT = """
# Demo

:::{question} Is `1 | 2` equal to $|{-3}|$?
- ( ) No, `a | b` is *two* | Wrong reason, with $x | y$ in it.
- (x) Yes | Both are three,
  and this line goes on.
:::
"""

TWO_RIGHT = """
# Demo

```{question} Which are even?
- (x) Two | Twice one.
- ( ) Three | Odd.
- (x) Four | Twice two.
```
"""


def status(form: Locator) -> str:
    return form.get_by_role("status").inner_text()


def test_bars_in_code_and_maths_belong_to_the_answer() -> None:
    parse = import_module("questions").parse_answers
    first, second = parse(["- ( ) `a | b` or $c | d$ | why `e | f`", "- (x) yes", "  indeed | so"])
    assert (first.right, first.text, first.reason) == (False, "`a | b` or $c | d$", "why `e | f`")
    assert (second.right, second.text, second.reason) == (True, "yes indeed", "so")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("- ( ) one | a\n- ( ) two | b", "one of them right"),
        ("- (x) only | a", "two answers or more"),
        ("- (x) one\n- ( ) two | b", "has no reason"),
        ("- one | a\n- (x) two | b", "an answer is written"),
    ],
)
def test_a_badly_written_question_stops_the_build(
    body: str, said: str, demo: Callable[..., Path]
) -> None:
    with pytest.raises(AssertionError, match=said):
        demo(f"# Demo\n\n```{{question}} What?\n{body}\n```\n")


def test_keyboard_and_mouse_get_the_reason_at_once(demo: Callable[..., Path], visit: Open) -> None:
    page = visit(demo(ONE_RIGHT).as_uri()).page
    form = page.locator("form.question")
    assert form.get_by_role("group").count() == 1
    assert form.get_by_role("status").get_attribute("aria-live") == "polite"
    assert status(form) == ""

    form.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    assert form.get_by_role("radio").first.is_checked()
    assert status(form).startswith("✗ Not this one. Wrong reason")
    page.keyboard.press("ArrowDown")
    assert status(form) == "✓ Right. Both are three, and this line goes on."

    form.get_by_text("two").click()
    assert status(form).startswith("✗")
    assert form.locator("[data-verdict=false]").count() == 1
    assert form.locator("[data-verdict=true]").count() == 0


def test_several_right_answers_are_counted(demo: Callable[..., Path], visit: Open) -> None:
    form = visit(demo(TWO_RIGHT).as_uri()).page.locator("form.question")
    boxes = form.get_by_role("checkbox")
    boxes.nth(0).check()
    assert "Right. Twice one." in status(form)
    assert "1 of 2 right answers found." in status(form)
    boxes.nth(1).check()
    assert "Not this one. Odd." in status(form)
    boxes.nth(2).check()
    assert "That is all of them." not in status(form)
    boxes.nth(1).uncheck()
    assert status(form) == "That is all of them."


def test_without_scripts_the_reasons_stand_on_the_page(
    demo: Callable[..., Path], visit: Open
) -> None:
    page = visit(demo(ONE_RIGHT).as_uri(), script=False).page
    page.get_by_text("Each answer, and why").click()
    assert page.get_by_text("Wrong reason").is_visible()
    assert page.locator("li strong").all_inner_texts() == ["Wrong.", "Right."]


EVERY_CHOICE = """
() => [...document.querySelectorAll("form.question")].flatMap((form) =>
  [...form.querySelectorAll("input")].map((choice) => {
    choice.click();
    const reason = form.querySelectorAll(".question-reasons li")[choice.value - 1];
    const said = form.querySelector(".question-verdict").textContent;
    return [reason.dataset.right === "true", said];
  }))
"""


@pytest.mark.long
def test_every_question_of_the_course_answers_every_choice(
    site: Path, address: str, visit: Open
) -> None:
    asked = 0
    for lesson in strength.some(LESSONS):
        if 'class="question"' not in (site / f"{lesson}.html").read_text(encoding="utf-8"):
            continue
        visited = visit(f"{address}{lesson}.html")
        said = visited.page.evaluate(EVERY_CHOICE)
        asked += len(said)
        for right, text in said:
            assert text.startswith("✓" if right else "✗"), text
            assert len(text) > 20
        assert visited.complaints == []
        # Nothing is kept: no cookie, and nothing of ours in the browser's storage.
        assert visited.page.context.cookies() == []
    assert asked >= strength.share(20)
