"""Makes the README's two pictures from the real thing.

    make site && .venv/bin/python -m tools.pictures

Needs Chromium. They are committed, as a README has no other way to show them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from rnncourse._exercise import find
from rnncourse.checks import examine
from rnncourse.checks.display import html
from tests.browser import launch
from tools.answers import known
from tools.demonstration.__main__ import SITE
from tools.demonstration.learners import ROOT

FOLDER = ROOT / "book" / "_static" / "pictures"
MISTAKE = "gates_ifog"
WIDTH, HEIGHT = 1000, 640


def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        browser = launch(playwright)
        page = Path(scratch) / "check.html"
        page.write_text(check_page(), encoding="utf-8")
        shoot(browser, (SITE / "book" / "lstm.html").as_uri(), "figure.interactive", "site.png")
        shoot(browser, page.as_uri(), "body", "check.png")


def check_page() -> str:
    """The report of a cell with its gates in the wrong order, as a notebook shows it; without the
    cell, which would give the exercise away."""
    entry = find("lstm_cell")
    entry.filled = next(k.function for k in known("lstm", "lstm_cell") if k.mistake.id == MISTAKE)
    style = "font: 16px/1.5 system-ui, sans-serif; margin: 1rem 2rem; max-width: 60rem"
    return f"<!doctype html><meta charset=utf-8><body style='{style}'>{html(examine(entry))}"


def shoot(browser: Browser, address: str, selector: str, name: str) -> None:
    """A picture of the screen with an element in view."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    page.goto(address)
    page.wait_for_timeout(1500)
    page.evaluate("document.querySelectorAll('details.reveal').forEach((d) => { d.open = true; })")
    for slider in page.get_by_label("Forget gate f").all():
        slider.fill("0.95")
    page.locator(selector).first.evaluate(
        "e => window.scrollBy(0, e.getBoundingClientRect().top - 170)"
    )
    page.wait_for_timeout(500)
    page.screenshot(path=str(FOLDER / name))
    page.close()


if __name__ == "__main__":
    main()
