"""Figures that move: they do, by mouse and keyboard, on a phone too; and they say so in text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from tests.browser import Open

DEMO = """
# Demo

```{moving} demo
:alt: A line whose height is set.
It *moves*.
```
"""
DEMO_SCRIPT = """
movingFigures.define("demo", (box) => {
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


def drawn(figure: Locator) -> list[str | None]:
    return [path.get_attribute("d") for path in figure.locator("svg path.moving-line").all()]


def test_the_lstm_figure_moves(address: str, visit: Open) -> None:
    page = visit(f"{address}book/lstm.html").page
    figure = page.locator("figure.moving[data-figure=lstm-memory]")
    for slider in figure.get_by_role("slider").all():
        before, said = drawn(figure), figure.locator("output").all_inner_texts()
        slider.focus()
        for _ in range(5):
            page.keyboard.press("ArrowLeft")
        assert drawn(figure) != before
        assert figure.locator("output").all_inner_texts() != said


def test_every_slider_has_a_label_and_prints_its_value(address: str, visit: Open) -> None:
    page = visit(f"{address}book/lstm.html").page
    sliders = page.locator("figure.moving input[type=range]")
    assert sliders.count() > 0
    for slider in sliders.all():
        name = slider.get_attribute("id")
        assert page.locator(f"label[for='{name}']").inner_text().strip()
        assert page.locator(f"output[for='{name}']").inner_text().strip()


def test_every_figure_has_alternative_text_and_lines_that_differ_without_colour(
    address: str, visit: Open
) -> None:
    page = visit(f"{address}book/lstm.html").page
    for figure in page.locator("figure.moving").all():
        assert figure.get_by_role("group").first.get_attribute("aria-label")
        lines = figure.locator("svg path.moving-line").all()
        dashes = [line.get_attribute("stroke-dasharray") for line in lines]
        assert len(set(dashes)) == len(dashes)


def test_controls_of_the_helper(demo: Callable[..., Path], visit: Open) -> None:
    visited = visit(demo(DEMO, DEMO_SCRIPT).as_uri())
    page = visited.page
    figure = page.locator("figure.moving")
    assert figure.locator("figcaption em").inner_text() == "moves"
    assert figure.get_by_role("group", name="A line whose height is set.").count() == 1
    at_ten = drawn(figure)
    assert figure.locator(".moving-readout output").inner_text() == "10"

    slider = figure.get_by_role("slider", name="Height")
    slider.fill("100")
    assert drawn(figure) != at_ten
    assert slider.get_attribute("aria-valuetext") == "100"
    assert figure.locator(".moving-readout output").inner_text() == "100"

    figure.get_by_text("Down").click()
    assert figure.locator(".moving-readout output").inner_text() == "1"
    ticks = figure.locator("svg text").all_text_contents()
    assert {"1", "10", "100"} <= set(ticks)
    assert visited.complaints == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_figure_keeps_its_text_size_at_every_width(
    width: int, demo: Callable[..., Path], visit: Open
) -> None:
    page = visit(demo(DEMO, DEMO_SCRIPT).as_uri(), width=width).page
    svg = page.locator("svg.moving-plot")
    box, drawn_for = svg.bounding_box(), svg.get_attribute("viewBox")
    assert box and drawn_for
    assert abs(box["width"] - float(drawn_for.split()[2])) < 1
    assert box["x"] + box["width"] <= width


def test_figure_without_script_says_what_it_shows(demo: Callable[..., Path], visit: Open) -> None:
    page = visit(demo(DEMO, DEMO_SCRIPT).as_uri(), script=False).page
    assert "A line whose height is set." in page.locator("figure.moving noscript").inner_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```{moving} demo\nNo alternative text.\n```", "has no :alt: text"),
        ("```{moving} nowhere\n:alt: Nothing.\n```", "has no script nowhere.js"),
    ],
)
def test_a_badly_written_figure_stops_the_build(
    text: str, said: str, demo: Callable[..., Path]
) -> None:
    with pytest.raises(AssertionError, match=said):
        demo(f"# Demo\n\n{text}\n")
