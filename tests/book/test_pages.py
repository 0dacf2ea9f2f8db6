"""Every page of the site: it loads alone and in silence, fits a phone, and leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests import strength
from tests.browser import CONTRAST, SETTLED, Open, Visit, visits

from .site import CHAPTERS, EXERCISES, LESSONS, PAGES, ROOT, read

every_page = pytest.mark.parametrize("page", PAGES)

SHIFT = """
    () => new Promise((tell) => {
      let shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shift += entry.value;
      }).observe({ type: "layout-shift", buffered: true });
      setTimeout(() => requestAnimationFrame(() => tell(shift)), 50);
    })
"""

READ = (
    ".bd-article p, .bd-article a, .bd-article h1, .bd-article h2, .bd-article code, "
    ".bd-article th, .bd-article td, div.highlight pre, div.highlight span, .admonition-title, "
    "form.question legend, form.question label, "
    "figure.interactive label, figure.interactive output, figure.interactive text, "
    "figure.interactive li, figure.interactive figcaption"
)


@dataclass(frozen=True)
class Opened:
    """A page of the site in two windows.

    Attributes:
        desktop: a wide and light one, where scripts and fonts came after the first paint.
        phone: a narrow and dark one.
    """

    desktop: Visit
    phone: Visit


@pytest.fixture(scope="module", params=strength.some(PAGES))
def opened(request: pytest.FixtureRequest, address: str, browser: Browser) -> Iterator[Opened]:
    place = f"{address}{request.param}.html"
    with visits(browser) as visit:
        desktop = visit(place, late=True)
        yield Opened(desktop, visit(place, width=390, theme="dark"))


@pytest.mark.long
def test_a_page_loads_in_silence_from_our_host_only(opened: Opened, address: str) -> None:
    for visited in (opened.desktop, opened.phone):
        assert visited.complaints == []
        assert visited.requests
        own = (address, "data:", "about:")
        assert [one for one in visited.requests if not one.startswith(own)] == []


@pytest.mark.long
def test_a_page_does_not_jump_when_scripts_and_fonts_come_late(opened: Opened) -> None:
    assert opened.desktop.page.evaluate(SHIFT) < 0.1


@pytest.mark.long
def test_text_is_strong_in_the_light_and_in_the_dark(opened: Opened) -> None:
    assert opened.desktop.page.locator("html").get_attribute("data-theme") == "light"
    assert opened.phone.page.locator("html").get_attribute("data-theme") == "dark"
    for page in (opened.desktop.page, opened.phone.page):
        for theme in ("light", "dark"):
            show_in(theme, page)
            assert weak_text(page) == []


@pytest.mark.long
def test_pictures_are_not_dimmed_in_the_dark(opened: Opened) -> None:
    show_in("dark", opened.phone.page)
    found = opened.phone.page.evaluate(
        """() => [...document.querySelectorAll(".bd-article img")].map((e) => {
             const style = getComputedStyle(e);
             return [style.filter, style.backgroundColor];
           })"""
    )
    assert [one for one in found if one != ["none", "rgba(0, 0, 0, 0)"]] == []


@pytest.mark.long
def test_a_page_fits_a_phone(opened: Opened) -> None:
    page = opened.phone.page
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    past = page.evaluate(
        """() => [...document.querySelectorAll(".bd-article > section *")]
             .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
             .filter((e) => !e.closest("pre, .math, .pst-scrollable-table-container"))
             .map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert past == []


def show_in(theme: Literal["light", "dark"], page: Page) -> None:
    """Let the reader's system ask for a theme, which the page follows."""
    page.emulate_media(color_scheme=theme)
    page.locator(f"html[data-theme={theme}]").wait_for()
    page.evaluate(SETTLED)


def weak_text(opened: Page) -> list[object]:
    """What does not stand out from its background, with its contrast."""
    found: list[object] = opened.evaluate(
        f"""() => [...document.querySelectorAll("{READ}")]
              .filter((e) => e.checkVisibility() && e.textContent.trim())
              .map((e) => [({CONTRAST})(e), e.outerHTML.slice(0, 120)])
              .filter(([contrast]) => contrast < 4.5)"""
    )
    return found


@every_page
def test_nothing_names_a_file_on_another_host(page: str, site: Path) -> None:
    sources = read(site / f"{page}.html").sources
    assert sources
    assert [one for one in sources if urlsplit(one).netloc] == []


@every_page
def test_every_picture_has_alternative_text_and_a_size(page: str, site: Path) -> None:
    for image in read(site / f"{page}.html").images:
        assert image.get("alt", "").strip(), image
        if "_images/" in image["src"]:
            assert image.get("width") and image.get("height"), image


def test_some_picture_was_looked_at(site: Path) -> None:
    sources = [image["src"] for page in LESSONS for image in read(site / f"{page}.html").images]
    assert any("_images/" in source for source in sources)


@every_page
def test_internal_links_lead_somewhere(page: str, site: Path) -> None:
    here = site / f"{page}.html"
    contents = read(here)
    links = [link for link in contents.links if not urlsplit(link).scheme]
    assert links
    for link in links:
        path, fragment = unquote(urlsplit(link).path), unquote(urlsplit(link).fragment)
        target = (here.parent / path).resolve() if path else here
        assert target.is_file(), link
        if fragment and target.suffix == ".html":
            assert fragment in read(target).ids, link


def test_the_front_door_leads_to_the_first_page(address: str, visit: Open) -> None:
    opened = visit("about:blank").page
    opened.goto(address)
    opened.wait_for_url(f"{address}{PAGES[0]}.html")


@pytest.mark.parametrize("page", LESSONS)
def test_no_directive_is_left_in_the_text(page: str, site: Path) -> None:
    article = (site / f"{page}.html").read_text(encoding="utf-8")
    assert re.findall(r"(?:```|:::)\{\w+\}|\{[\w:]+\}`", article) == []


@pytest.mark.parametrize("page", ["book/lstm", "book/conventions"])
def test_maths_is_drawn_with_the_fonts_of_the_site(page: str, address: str, visit: Open) -> None:
    visited = visit(f"{address}{page}.html")
    opened = visited.page
    formulas = opened.locator(".math").count()
    assert formulas > 0
    assert opened.locator(".math > mjx-container").count() == formulas
    # Screen readers get MathML beside the drawing.
    assert opened.locator(".math mjx-assistive-mml > math").count() == formulas
    assert opened.locator("mjx-merror").count() == 0
    fonts = opened.evaluate(
        "[...document.fonts].filter((f) => f.status === 'loaded').map((f) => f.family)"
    )
    assert [family for family in fonts if "MJXTEX" in family], fonts
    woff = [one for one in visited.requests if one.endswith(".woff")]
    assert woff
    assert all("/_static/mathjax/output/chtml/fonts/" in one for one in woff)


@pytest.mark.parametrize("choice", ["explorer: true", "renderer: 'SVG'"])
def test_what_the_menu_of_a_formula_offers_is_on_the_site(
    choice: str, address: str, visit: Open
) -> None:
    visited = visit(f"{address}book/conventions.html")
    opened = visited.page
    # A reload would break off what is still on its way, and that would be a complaint.
    opened.wait_for_load_state("networkidle")
    opened.evaluate(f"localStorage['MathJax-Menu-Settings'] = JSON.stringify({{{choice}}})")
    visited.requests.clear()
    opened.reload(wait_until="networkidle")
    opened.evaluate("() => MathJax.startup.promise")
    assert opened.locator("mjx-container").count() == opened.locator(".math").count() > 0
    assert any(re.search("explorer|svg", one.rpartition("mathjax/")[2]) for one in visited.requests)
    assert [one for one in visited.requests if not one.startswith((address, "data:"))] == []
    assert visited.complaints == []


def test_mathjax_comes_with_its_licence_and_without_the_rest(site: Path) -> None:
    folder = site / "_static" / "mathjax"
    assert "Apache License" in (folder / "LICENSE.txt").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 10e6


@pytest.mark.parametrize("page", EXERCISES)
def test_an_exercise_opens_in_colab_and_can_be_downloaded(page: str, site: Path) -> None:
    links = read(site / f"{page}.html").links
    colab = {link for link in links if "colab.research.google.com" in link}
    path = f"{page}.ipynb"
    assert colab == {
        f"https://colab.research.google.com/github/rnncourse/rnncourse/blob/main/{path}"
    }
    assert (ROOT / path).is_file()
    copies = {link for link in links if link.endswith(f"_sources/{path}")}
    assert copies
    for link in copies:
        copy = (site / f"{page}.html").parent / link
        assert copy.read_bytes() == (ROOT / path).read_bytes()


@pytest.mark.parametrize("page", sorted({*LESSONS} - {*CHAPTERS, "book/conventions"}))
def test_a_page_without_a_notebook_has_no_colab_link(page: str, site: Path) -> None:
    links = read(site / f"{page}.html").links
    assert [link for link in links if "colab.research" in link] == []


@pytest.mark.parametrize("page", ["book/use", "book/lstm"])
def test_focus_can_be_seen(page: str, address: str, visit: Open) -> None:
    opened = visit(f"{address}{page}.html").page
    opened.keyboard.press("Tab")
    opened.keyboard.press("Tab")
    outline = opened.evaluate(
        """() => { const s = getComputedStyle(document.activeElement);
                   return [s.outlineStyle, parseFloat(s.outlineWidth)]; }"""
    )
    assert outline[0] == "solid"
    assert outline[1] >= 2


@pytest.mark.parametrize("page", ["book/index", "book/lstm"])
def test_a_page_works_from_a_folder(page: str, site: Path, visit: Open) -> None:
    visited = visit((site / f"{page}.html").as_uri())
    assert [one for one in visited.requests if not one.startswith(("file:", "data:"))] == []
    opened = visited.page
    opened.wait_for_selector("mjx-container")
    question = opened.locator("form.question").first
    if page == "book/index":
        question.locator("label").first.click()
        assert question.get_by_role("status").inner_text()
    else:
        assert opened.locator("figure.interactive svg path").count() > 0
