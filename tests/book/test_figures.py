"""Figures that move: they do, by mouse and keyboard, on a phone too; and they say so in text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from IPython.display import HTML
from playwright.sync_api import Locator

from rnncourse import plots
from tests.browser import Open

from .site import CHAPTERS

UNFOLD = "document.querySelectorAll('details.reveal').forEach((fold) => { fold.open = true; })"
"""Shows what predictions are about: a figure may stand there."""

DEMO = """
# Demo

```{interactive} demo
:alt: A line whose height is set.
It *moves*.
```
"""
DEMO_SCRIPT = """
interactiveFigures.define("demo", (box) => {
  const height = box.slider({ label: "Height", min: 1, max: 100, step: 1, value: 10 });
  const kind = box.choice({ label: "Kind", options: { up: "Up", down: "Down" }, value: "up" });
  const plot = box.plot({
    label: "Height against step",
    x: { label: "step", min: 0, max: 4 },
    y: { label: "height", min: 1, max: 100, log: true },
  });
  const line = plot.line({ label: "height", style: "dashed", marker: "square" });
  const said = box.readout("At the end");
  box.update(() => {
    const end = kind.value === "up" ? height.value : 1;
    line.set([[0, 1], [2, NaN], [4, end]]);
    said.set(String(end));
  });
});
"""


MAP = """
# Demo

<script type="application/json" class="interactive-data" data-figure="demo">
{"words": [[0, 0, "sun"], [9.9, 1, "moon"]]}</script>

```{interactive} demo
:alt: Two words on a map, and a box that moves.
Move it.
```
"""
MAP_SCRIPT = """
interactiveFigures.define("demo", (box) => {
  const step = box.slider({ label: "Step", min: 0, max: 2, step: 1, value: 1, play: true });
  const plot = box.plot({
    label: "Words",
    x: { label: "first", min: 0, max: 10 },
    y: { label: "second", min: 0, max: 1 },
  });
  plot.points({ label: "words", marker: "square" }).set(box.data().words);
  const drawing = box.drawing({ label: "A box", height: 60 });
  const list = box.list("Steps so far");
  box.update(() => {
    drawing.setHeight(50 + step.value);
    list.set(Array.from({ length: step.value }, (_, k) => `number ${k + 1}`));
    drawing.set((width) => [
      ["rect", { x: step.value * 10, y: 5, width: width - 50, height: 20 }],
      ["text", { x: 5, y: 40 }, `step ${step.value}`],
    ]);
  });
});
"""


def drawn(figure: Locator) -> list[str | None]:
    return [path.get_attribute("d") for path in figure.locator("svg path.interactive-line").all()]


def contents(figure: Locator) -> str:
    """All that a figure shows: its curves, points and drawings, and what it says in text."""
    return str(
        figure.evaluate("""(e) => [...e.querySelectorAll("svg, .interactive-readout output")]
        .map((one) => one.innerHTML).join()""")
    )


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_control_of_every_figure_is_named_and_moves_it(
    chapter: str, address: str, visit: Open
) -> None:
    visited = visit(f"{address}{chapter}.html")
    visited.page.evaluate(UNFOLD)
    figures = visited.page.locator("figure.interactive").all()
    assert figures
    for figure in figures:
        assert figure.get_by_role("group").first.get_attribute("aria-label")
        assert figure.get_by_role("slider").or_(figure.get_by_role("radio")).count()
        for group in figure.locator(".interactive-choice").all():
            choices = reversed(group.locator("label").all())  # so that it ends as it began
            assert len({after(choice.click, figure) for choice in choices}) > 1
        for slider in figure.get_by_role("slider").all():
            name = slider.get_attribute("id")
            said = figure.locator(f"output[for='{name}']")
            assert figure.locator(f"label[for='{name}']").inner_text().strip()
            seen = set()
            for end in ("min", "max"):
                seen.add(after(partial(slider.fill, slider.get_attribute(end) or ""), figure))
                assert said.inner_text().strip() == slider.get_attribute("aria-valuetext")
            assert len(seen) == 2, name
        for plot in figure.locator("svg.interactive-plot").all():
            looks = plot.evaluate(
                """(e) => [...e.querySelectorAll("path.interactive-line")].map((line) =>
                     line.getAttribute("stroke-dasharray") + line.nextSibling.dataset.marker)"""
            )
            assert len(set(looks)) == len(looks)
    assert visited.complaints == []


def after(action: Callable[[], None], figure: Locator) -> str:
    """What a figure shows once something was done to it."""
    action()
    return contents(figure)


def test_controls_of_the_helper(demo: Callable[..., Path], visit: Open) -> None:
    visited = visit(demo(DEMO, DEMO_SCRIPT).as_uri())
    page = visited.page
    figure = page.locator("figure.interactive")
    assert figure.locator("figcaption em").inner_text() == "moves"
    assert figure.get_by_role("group", name="A line whose height is set.").count() == 1
    at_ten = drawn(figure)
    assert figure.locator(".interactive-readout output").inner_text() == "10"

    slider = figure.get_by_role("slider", name="Height")
    slider.fill("100")
    assert drawn(figure) != at_ten
    assert slider.get_attribute("aria-valuetext") == "100"
    assert figure.locator(".interactive-readout output").inner_text() == "100"

    figure.get_by_text("Down").click()
    assert figure.locator(".interactive-readout output").inner_text() == "1"
    ticks = figure.locator("svg text").all_text_contents()
    assert {"1", "10", "100"} <= set(ticks)
    assert visited.complaints == []


@pytest.mark.parametrize("width", [320, 1280])
def test_points_have_names_that_stay_in_the_picture(
    width: int, demo: Callable[..., Path], visit: Open
) -> None:
    visited = visit(demo(MAP, MAP_SCRIPT).as_uri(), width=width)
    names = visited.page.locator(".interactive-points text")
    assert names.all_text_contents() == ["sun", "moon"]
    for name in names.all():
        box = name.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert visited.complaints == []


def test_a_drawing_is_laid_out_for_its_width(demo: Callable[..., Path], visit: Open) -> None:
    page = visit(demo(MAP, MAP_SCRIPT).as_uri(), width=320).page
    svg = page.locator("svg[aria-label='A box']")
    box, width = svg.bounding_box(), float((svg.get_attribute("viewBox") or "").split()[2])
    assert box
    assert abs(box["width"] - width) < 1
    assert svg.locator("rect").get_attribute("width") == str(int(width) - 50)
    page.get_by_role("slider").fill("2")
    assert svg.get_attribute("height") == "52"
    assert svg.locator("text").text_content() == "step 2"
    said = page.get_by_role("list", name="Steps so far").locator("li")
    assert said.all_inner_texts() == ["number 1", "number 2"]


def test_play_moves_a_slider_to_its_end_and_starts_again(
    demo: Callable[..., Path], visit: Open
) -> None:
    page = visit(demo(MAP, MAP_SCRIPT).as_uri()).page
    button, slider = page.locator(".interactive-play"), page.get_by_role("slider")
    button.click()
    assert button.inner_text() == "Pause"
    button.and_(page.get_by_text("Play")).wait_for()
    assert slider.input_value() == "2"
    button.click()
    assert slider.input_value() == "0"
    button.click()
    assert button.inner_text() == "Play"


def test_a_cell_hands_data_over_to_a_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[HTML] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    plots.figure_data("map", {"words": [[0, 1.5, "</script>"]]})
    html = shown[0].data
    assert 'data-figure="map"' in html
    data = re.sub("</?script[^>]*>", "", html)
    assert json.loads(data) == {"words": [[0, 1.5, "</script>"]]}
    with pytest.raises(ValueError, match="JSON compliant"):
        plots.figure_data("map", float("nan"))


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_figure_keeps_its_text_size_at_every_width(
    width: int, demo: Callable[..., Path], visit: Open
) -> None:
    page = visit(demo(DEMO, DEMO_SCRIPT).as_uri(), width=width).page
    svg = page.locator("svg.interactive-plot")
    box, drawn_for = svg.bounding_box(), svg.get_attribute("viewBox")
    assert box and drawn_for
    assert abs(box["width"] - float(drawn_for.split()[2])) < 1
    assert box["x"] + box["width"] <= width


def test_figure_without_script_says_what_it_shows(demo: Callable[..., Path], visit: Open) -> None:
    page = visit(demo(DEMO, DEMO_SCRIPT).as_uri(), script=False).page
    assert "A line whose height is set." in page.locator("figure.interactive noscript").inner_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```{interactive} demo\nNo alternative text.\n```", "has no :alt: text"),
        ("```{interactive} nowhere\n:alt: Nothing.\n```", "has no script nowhere.js"),
    ],
)
def test_a_badly_written_figure_stops_the_build(
    text: str, said: str, demo: Callable[..., Path]
) -> None:
    with pytest.raises(AssertionError, match=said):
        demo(f"# Demo\n\n{text}\n")
