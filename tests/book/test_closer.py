"""Look closer: what a reader may leave out is folded, whatever stands in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser import Open

PAGE = """
# Demo

Before.

```{closer} Why is $x$ so *small*?
```

Inside.

```{predict}
How many?

- one
- two
```

It is two.

```{reveal}
```

The last of it.

```{closer-end}
```

After.
"""


@pytest.fixture(scope="module")
def page_file(demo: Callable[..., Path]) -> Path:
    return demo(PAGE)


@pytest.mark.parametrize("script", [True, False])
def test_a_click_opens_it_and_a_prediction_in_it_stays_folded(
    page_file: Path, visit: Open, script: bool
) -> None:
    page = visit(page_file.as_uri(), script=script).page
    inside, told = page.get_by_text("Inside."), page.get_by_text("It is two.")
    assert not inside.is_visible()
    assert page.get_by_text("Before.").is_visible() and page.get_by_text("After.").is_visible()
    page.get_by_text("Look closer:").click()
    assert inside.is_visible() and page.get_by_text("The last of it.").is_visible()
    assert not told.is_visible()
    assert page.locator("details.closer > summary em").inner_text() == "small"


def test_on_paper_it_is_open(page_file: Path, visit: Open) -> None:
    page = visit(page_file.as_uri(), script=False).page
    page.emulate_media(media="print")
    assert page.get_by_text("Inside.").is_visible() and page.get_by_text("It is two.").is_visible()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```{closer}\n```\n", "1 argument"),
        ("```{closer} Title\n```\n\nThis.\n", "without a {closer-end}"),
        (
            "```{closer} Title\n```\n\n## Heading\n\n```{closer-end}\n```\n",
            "without a {closer-end}",
        ),
        ("This.\n\n```{closer-end}\n```\n", "without a {closer}"),
        ("```{closer} Title\n```\n\n```{closer-end}\n```\n", "nothing to fold"),
    ],
)
def test_a_badly_written_box_stops_the_build(
    text: str, said: str, demo: Callable[..., Path]
) -> None:
    with pytest.raises(AssertionError, match=said):
        demo(f"# Demo\n\n{text}")
