"""Predictions: what follows is folded until the reader has said what comes, or clicks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import Open

PAGE = """
# Demo

Before.

```{predict}
How much is left?

- *half*
- a tenth
```

Nothing is left.

```{reveal}
```

Between.

```{predict}
:number: steps

How many?
```

It takes twelve.

```{reveal}
```

```{predict}
Which line decides it?
```

The last one.

```{reveal}
```

After.
"""


TOLD = ("Before.", "Nothing is left.", "Between.", "It takes twelve.", "The last one.", "After.")


@pytest.fixture(scope="module")
def page_file(demo: Callable[..., Path]) -> Path:
    return demo(PAGE)


def seen(page: Page) -> list[str]:
    """The paragraphs that can be read."""
    told = (
        "Before.",
        "Nothing is left.",
        "Between.",
        "It takes twelve.",
        "The last one.",
        "After.",
    )
    return [text for text in told if page.get_by_text(text, exact=True).is_visible()]


def test_what_follows_is_folded_until_a_choice_is_made(page_file: Path, visit: Open) -> None:
    visited = visit(page_file.as_uri())
    page = visited.page
    assert seen(page) == ["Before.", "Between.", "After."]
    loaded = len(visited.requests)
    page.get_by_role("radio", name="half").check()
    assert seen(page) == ["Before.", "Nothing is left.", "Between.", "After."]
    assert page.get_by_role("status").inner_text() == "You said: half"
    page.get_by_role("radio", name="a tenth").check()
    assert page.get_by_role("status").inner_text() == "You said: a tenth"
    assert visited.requests[loaded:] == []
    assert visited.complaints == []


def test_a_number_and_a_text_are_compared_and_kept_in_the_browser(
    page_file: Path, visit: Open
) -> None:
    page = visit(page_file.as_uri()).page
    page.get_by_label("Your number").fill("30")
    page.keyboard.press("Enter")
    page.get_by_label("Your answer").fill("  the <b>first</b>  ")
    page.get_by_role("button", name="Compare").last.click()
    said = ["You said: 30 steps", "You said: the <b>first</b>"]
    assert page.get_by_role("status").all_inner_texts() == said
    page.reload()
    assert page.get_by_role("status").all_inner_texts() == said
    assert seen(page) == ["Before.", "Between.", "It takes twelve.", "The last one.", "After."]


def test_an_empty_answer_opens_nothing(page_file: Path, visit: Open) -> None:
    page = visit(page_file.as_uri()).page
    page.get_by_role("button", name="Compare").first.click()
    assert seen(page) == ["Before.", "Between.", "After."]


def test_without_a_script_one_click_opens_it(page_file: Path, visit: Open) -> None:
    page = visit(page_file.as_uri(), script=False).page
    assert page.get_by_text("a tenth").is_visible()
    assert page.get_by_role("radio").count() == page.get_by_role("button").count() == 0
    page.get_by_text("Show what happens").first.click()
    assert seen(page) == ["Before.", "Nothing is left.", "Between.", "After."]


@pytest.mark.parametrize("script", [True, False])
def test_on_paper_all_is_open(page_file: Path, visit: Open, script: bool) -> None:
    page = visit(page_file.as_uri(), script=script).page
    page.emulate_media(media="print")
    assert len(seen(page)) == 6


def test_the_code_of_a_lesson_stays_and_its_output_is_folded(address: str, visit: Open) -> None:
    page = visit(f"{address}book/lstm.html").page
    code, output = (page.get_by_text(t).first for t in ("def gap_left", "network 0: after 10"))
    assert code.is_visible() and not output.is_visible()
    page.get_by_role("radio", name="about half").check()
    assert output.is_visible()


def test_a_dark_page_is_light_and_open_while_it_is_printed(address: str, visit: Open) -> None:
    page = visit(f"{address}book/lstm.html", theme="dark").page
    root, closed = page.locator("html"), page.locator("details:not([open])")
    before = closed.count()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert (root.get_attribute("data-theme"), closed.count()) == ("light", 0)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert (root.get_attribute("data-theme"), closed.count()) == ("dark", before)
    assert before > 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```{predict}\nWhat?\n\n- one\n```\n", "two choices or more"),
        ("```{predict}\n:number:\n\nWhat?\n\n- one\n- two\n```\n", "or is a number"),
        ("```{predict}\n- one\n- two\n```\n", "a question above its choices"),
        ("```{predict}\nWhat?\n```\n\nThis.\n", "prediction without a"),
        ("```{predict}\nWhat?\n```\n\n```{reveal}\n```\n", "something to fold"),
        ("This.\n\n```{reveal}\n```\n", "without a {predict}"),
    ],
)
def test_a_badly_written_prediction_stops_the_build(
    text: str, said: str, demo: Callable[..., Path]
) -> None:
    with pytest.raises(AssertionError, match=said):
        demo(f"# Demo\n\n{text}")
