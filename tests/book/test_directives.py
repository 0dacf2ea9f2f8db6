"""The boxes, marks and terms of the lessons: what they become, and what a mistake in one says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser import Open

LESSON = """
# Demo

```{covers} S1 S2
```

```{predict}
How *many*?
```

Three.

```{reveal}
```

```{claim} ten-steps
“After ten steps it is gone.”
```

```{terms}
gate | 门 | $f$
gated `cell` | 门控单元 |
```

```{coverage} rows
```

```{coverage} claims
```

```{all-terms}
```
"""


def test_a_lesson_with_all_of_them(demo: Callable[..., Path], visit: Open) -> None:
    page = visit(demo(LESSON).as_uri()).page
    boxes = page.locator(".admonition")
    assert boxes.locator(".admonition-title").all_inner_texts() == [
        "Predict",
        "A claim people make",
    ]
    assert boxes.first.locator("em").inner_text() == "many"
    terms, taught, claims, glossary = page.locator("table").all()
    assert terms.locator("tbody td").nth(1).inner_text() == "门"
    assert terms.locator("tbody code").inner_text() == "cell"
    rows = taught.locator("tbody tr").all()
    assert [row.locator("td").nth(2).inner_text() for row in rows[:3]] == [
        "Demo",
        "Demo",
        "in a later chapter",
    ]
    for link in [*taught.locator("td a").all(), *claims.locator("td a").all()]:
        anchor = (link.get_attribute("href") or "").partition("#")[2]
        assert page.locator(f"[id='{anchor}']").count() == 1
    assert claims.locator("td a").count() == 1
    assert glossary.locator("tbody td:first-child").all_inner_texts() == ["gate", "gated cell"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```{covers} S99\n```", "lists no row and no claim S99"),
        ("```{claim} nobody-says\n“So.”\n```", "lists no row and no claim nobody-says"),
        ("```{claim} ten-steps\n```", "Content block expected"),
        ("```{terms}\ngate, 门\n```", "a term is written English | 中文 | symbol"),
    ],
)
def test_a_mistake_stops_the_build(text: str, said: str, demo: Callable[..., Path]) -> None:
    with pytest.raises(AssertionError) as caught:
        demo(f"# Demo\n\n{text}\n")
    assert said in str(caught.value)
