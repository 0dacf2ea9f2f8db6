"""How long lessons take: counted from what a reader sees, and said on the page."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from .site import CHAPTERS, EXERCISES, ROOT

reading_time = import_module("reading_time")
ReadingTime = reading_time.ReadingTime

TO_SHORTEN = ("book/clipping", "book/embedding")
"""Chapters whose core is still longer than forty minutes."""

LESSON = """---
kernelspec: {name: python3}
---

# A title of five words

```{reading-time}
```

Four words, and $x^2 + y^2$. See [the link](elsewhere) {cite}`somebody`.

```{code-cell} ipython3
import torch

x = 1
```

```{code-cell} ipython3
---
tags: [hide-input]
---
drawn = 1
```

```{code-cell} ipython3
:tags: [remove-cell]

assert x
```

```{predict}
How many?
```

```{reveal}
```

```{closer} Two words
```

One two three.

```{code-cell} ipython3
y = 2
```

```{predict}
Which?
```

```{reveal}
```

```{closer-end}
```
"""


def test_words_lines_and_predictions_are_counted_inside_and_outside_of_folds() -> None:
    core, folded = reading_time.reading_times(LESSON)
    assert core == ReadingTime(words=5 + 4 + 3 + 1 + 2, code_lines=2, predictions=1)
    assert folded == ReadingTime(words=2 + 3 + 1, code_lines=1, predictions=1)


@pytest.mark.parametrize(
    ("time", "minutes"),
    [
        (ReadingTime(0, 0, 0), 0),
        (ReadingTime(600, 0, 0), 5),
        (ReadingTime(601, 0, 0), 10),
        (ReadingTime(1200, 80, 5), 30),
    ],
)
def test_minutes_are_rounded_up_to_five(time: object, minutes: int) -> None:
    assert time.minutes == minutes  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_says_how_long_it_takes(
    page: str, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    core, folded = reading_time.reading_times((ROOT / f"{page}.md").read_text("utf-8"))
    with capsys.disabled():
        print(f"\n{page}: {core}, {core.minutes} minutes; folded {folded.minutes}")
    if page not in TO_SHORTEN:
        assert core.minutes <= 45 and core.code_lines <= 105
    said = reading_time.lesson_sentence(core, folded)
    assert said in (site / f"{page}.html").read_text("utf-8")


def test_the_front_page_says_how_long_the_course_takes(site: Path) -> None:
    read = sum(
        reading_time.reading_times((ROOT / f"{page}.md").read_text("utf-8"))[0].minutes
        for page in CHAPTERS
    )
    built = sum(
        reading_time.exercise_minutes((ROOT / f"{page}.ipynb").read_text("utf-8"))
        for page in EXERCISES
    )
    said = reading_time.course_sentence(read, built)
    assert said in (site / "book/index.html").read_text("utf-8")


def test_an_exercise_that_does_not_say_how_long_it_takes_is_told() -> None:
    with pytest.raises(ValueError, match="how many minutes"):
        reading_time.exercise_minutes('{"cells": [{"source": ["# Title"]}]}')
