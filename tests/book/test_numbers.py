"""Numbers as people write them: in sentences, on axes, in readouts; by Python and by JavaScript."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from rnncourse import plots
from tests import strength
from tests.browser import Open, visits

from .site import CHAPTERS, LESSONS, ROOT
from .test_figures import DEMO, DEMO_SCRIPT

EXPONENT = re.compile(r"(?<![\w.])\d+(?:\.\d+)?[eE][-+]?\d+(?!\w)")
UNSEPARATED = re.compile(r"(?<![\w.,/-])\d{5,}")
"""Five digits or more in a row that do not follow a letter, a point, a comma, a slash or a dash:
so neither decimals nor parts of an address or an id. A year has four."""

VOID = {"br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
NOT_SENTENCES = {"code", "pre", "script", "style", "title"}
"""Nor what stands in a cell, its outputs with it, nor formulas."""

# Each choice with each slider at its ends and between them: what is said and drawn then.
MOVED = """
() => {
  const seen = new Set();
  const look = () => {
    for (const one of document.querySelectorAll(
      "figure.interactive output, figure.interactive svg text")) seen.add(one.textContent);
    for (const one of document.querySelectorAll("figure.interactive [aria-valuetext]"))
      seen.add(one.getAttribute("aria-valuetext"));
  };
  const slide = (input, part) => {
    input.value = Number(input.min) + part * (input.max - input.min);
    input.dispatchEvent(new Event("input"));
    look();
  };
  look();
  for (const figure of document.querySelectorAll("figure.interactive")) {
    const sliders = [...figure.querySelectorAll("input[type=range]")];
    const all = () => {
      look();
      for (const input of sliders) for (const part of [0, 0.3, 0.6, 1]) slide(input, part);
    };
    const radios = [...figure.querySelectorAll("input[type=radio]")];
    if (!radios.length) all();
    for (const radio of radios) { radio.click(); all(); }
  }
  return [...seen];
}
"""


class Sentences(HTMLParser):
    """The text of a page outside code, cells and formulas."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self._skipped: list[bool] = []
        self._parts: list[str] = []
        self.feed(html)
        self.text = "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = (dict(attrs).get("class") or "").split()
        if tag not in VOID:
            self._skipped.append(tag in NOT_SENTENCES or bool({"cell", "math"} & set(classes)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self._skipped:
            self._skipped.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._skipped):
            self._parts.append(data)


def raw(text: str) -> list[str]:
    """The numbers that are not written as people write them."""
    return EXPONENT.findall(text) + UNSEPARATED.findall(text)


@pytest.mark.parametrize(
    "text", ["3e-04", "to 1e8.", "(2.5E+07)", "21000", "is 2238930.", "−10000"]
)
def test_raw_numbers_are_seen(text: str) -> None:
    assert raw(text)


def test_what_is_well_written_or_no_number_is_let_be() -> None:
    good = "3 × 10⁻⁴, 21,000, 0.00012, in 1997, arXiv:1406.1078, doi.org/10.1162/12345, l0_e5, x2e3"
    assert raw(good) == []


def test_no_page_has_a_raw_number_in_its_sentences(site: Path) -> None:
    pages = {page: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    texts = {page.name: Sentences(html).text for page, html in pages.items()}
    assert all(re.search(r"\d", texts[f"{page.rpartition('/')[2]}.html"]) for page in LESSONS)
    assert {name: raw(text) for name, text in texts.items() if raw(text)} == {}
    values = [
        value for html in pages.values() for value in re.findall(r"pasted-text\">([^<]*)", html)
    ]
    assert any("⁻" in value for value in values)
    assert [value for value in values if value.startswith("-")] == []


def test_axes_of_pictures_have_powers_with_superscripts(site: Path) -> None:
    """Matplotlib notes the text of each label in a comment beside its outlines."""
    drawings = [path.read_text(encoding="utf-8") for path in (site / "_images").glob("*.svg")]
    labels = [label for one in drawings for label in re.findall(r"<!-- (.*?) -->", one)]
    assert any("10^{-" in label for label in labels)
    assert [label for label in labels if EXPONENT.search(label)] == []


@pytest.mark.long
@pytest.mark.parametrize("chapter", strength.some(CHAPTERS))
def test_no_figure_shows_or_says_a_raw_number(chapter: str, address: str, visit: Open) -> None:
    visited = visit(f"{address}{chapter}.html")
    seen = visited.page.evaluate(MOVED)
    assert any(re.search(r"\d", text) for text in seen)
    assert [text for text in seen if raw(text) or re.search(r"(?<!\w)-\d|NaN|Infinity", text)] == []
    assert visited.complaints == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_lesson_formats_a_value_with_an_exponent(lesson: str) -> None:
    text = (ROOT / f"{lesson}.md").read_text(encoding="utf-8")
    assert re.findall(r"\{glue:text\}`[^`]*:[^`]*[eEgG%]`", text) == []


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0, 2, "0"),
        (-0.0, 1, "0"),
        (0.5, 2, "0.5"),
        (-43.4, 2, "−43"),
        (0.001, 2, "0.001"),
        (0.00099, 2, "9.9 × 10⁻⁴"),
        (0.0009999, 2, "0.001"),
        (-1.04e-7, 2, "−10⁻⁷"),
        (-2.5e-12, 2, "−2.5 × 10⁻¹²"),
        (12345.0, 6, "12,345"),
        (-999400.0, 3, "−999,000"),
        (999600.0, 3, "10⁶"),
        (8.1e10, 1, "8 × 10¹⁰"),
        (1.7e308, 3, "1.7 × 10³⁰⁸"),
    ],
)
def test_python_and_javascript_write_the_same(
    value: float, digits: int, text: str, demo_page: Callable[[str], object]
) -> None:
    assert plots.number(value, digits).replace("\xa0", " ") == text
    assert " " not in plots.number(value, digits)
    # JSON has no -0 that Python would keep.
    sign = "-" if math.copysign(1, value) < 0 else ""
    said = demo_page(f"interactiveFigures.number({sign}{abs(value)}, {digits})")
    assert said == plots.number(value, digits)


@pytest.fixture(scope="module")
def demo_page(demo: Callable[..., Path], browser: Browser) -> Iterator[Callable[[str], object]]:
    """A function that evaluates an expression on a page with the figures' script."""
    with visits(browser) as visit:
        yield visit(demo(DEMO, DEMO_SCRIPT).as_uri()).page.evaluate


def test_percent(demo_page: Callable[[str], object]) -> None:
    for share, text in [(0.97, "97 %"), (0.0042, "0.42 %"), (-0.5, "−50 %"), (1.0, "100 %")]:
        assert plots.percent(share) == text.replace(" ", "\xa0")
        assert demo_page(f"interactiveFigures.percent({share})") == plots.percent(share)


def test_fixed_decimals_have_a_true_minus_and_no_minus_zero(
    demo_page: Callable[[str], object],
) -> None:
    assert demo_page("[0.5, -0.25, -0.001].map((v) => interactiveFigures.fixed(v, 2))") == [
        "0.50",
        "−0.25",
        "0.00",
    ]


def test_whole_numbers_keep_their_digits() -> None:
    assert plots.number(2238930) == "2,238,930"
    assert plots.number(-(10**20)) == "−100,000,000,000,000,000,000"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="is no number that can be written in a sentence"):
        plots.number(value)
    with pytest.raises(ValueError, match="is no number"):
        plots.percent(value)


def test_no_digits_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one digit, not 0"):
        plots.number(1.5, 0)


TINY_SCRIPT = """
interactiveFigures.define("demo", (box) => {
  const { number } = interactiveFigures;
  const power = box.slider({
    label: "Power", min: -9, max: 9, step: 1, value: 0, format: (v) => number(3 * 10 ** v) });
  box.plot({
    label: "Nothing",
    x: { label: "x", min: -2, max: 20000 },
    y: { label: "y", min: 1e-8, max: 1e8, log: true },
  });
  const left = box.readout("Left");
  box.update(() => left.set(`about ${number(10 ** power.value)}`));
});
"""


def test_powers_are_named_in_words_to_who_listens(demo: Callable[..., Path], visit: Open) -> None:
    page = visit(demo(DEMO, TINY_SCRIPT).as_uri()).page
    slider, readout = page.get_by_role("slider"), page.locator(".interactive-readout output")
    assert slider.get_attribute("aria-valuetext") == "3"
    assert readout.locator("[aria-label]").count() == 0
    slider.fill("-4")
    assert page.locator("output").first.inner_text() == "3\xa0×\xa010⁻⁴"
    assert slider.get_attribute("aria-valuetext") == "3 times 10 to the power of minus 4"
    assert readout.inner_text() == "about 10⁻⁴"
    assert readout.get_by_role("img", name="about 10 to the power of minus 4").count() == 1
    slider.fill("0")
    assert readout.inner_text() == "about 1"
    assert readout.locator("[aria-label]").count() == 0


def test_ticks_are_numbers_and_powers(demo: Callable[..., Path], visit: Open) -> None:
    ticks = visit(demo(DEMO, TINY_SCRIPT).as_uri()).page.locator("svg text").all_text_contents()
    assert {"10⁻⁸", "10⁻⁴", "1", "10⁴", "10⁸", "10,000", "20,000"} <= set(ticks)
