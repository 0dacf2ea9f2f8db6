"""The browser of this machine, started the way tests and pictures need it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Playwright, Route

HANGS_MILLISECONDS = 600_000
"""After which a page is sure to hang: the usual 30 seconds are too few on a busy machine."""
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Formulas are typeset, their fonts are there, nothing fades any more, and it is painted.
SETTLED = """
async () => {
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  const ending = document.getAnimations()
    .filter((animation) => animation.effect.getComputedTiming().endTime < Infinity);
  await Promise.allSettled(ending.map((animation) => animation.finished));
  for (let k = 0; k < 2; k += 1) await new Promise(requestAnimationFrame);
}
"""
PAINTED = """
() => document.readyState !== "loading"
  && performance.getEntriesByName("first-contentful-paint").length > 0
"""

# The contrast between an element's text and the first opaque background behind it, after WCAG.
CONTRAST = r"""
(element) => {
  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map(
      (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = getComputedStyle(element);
  const text = parse(element instanceof SVGElement ? style.fill : style.color);
  let behind = element;
  while (behind && parse(getComputedStyle(behind).backgroundColor).a < 1) {
    behind = behind.parentElement;
  }
  const paper = parse(getComputedStyle(behind).backgroundColor);
  const [low, high] = [light(text.rgb), light(paper.rgb)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
"""


def program() -> str | None:
    """The first browser that is installed here, if there is one."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def launch(playwright: Playwright) -> Browser:
    """Start it."""
    return playwright.chromium.launch(executable_path=program(), args=list(OPTIONS), headless=True)


@dataclass
class Visit:
    """A page that was opened, and everything it complained of while it loaded."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


Open = Callable[..., Visit]


@contextmanager
def visits(browser: Browser) -> Iterator[Open]:
    """A function that opens an address: `visit(address, width=390, theme="dark", script=True)`.

    It comes back when the page has settled. With `late`, the page is painted before any of its
    deferred scripts and fonts arrive, as on a slow connection, whatever the speed of the machine.
    `init` is a script that runs before those of the page.
    """
    contexts = []

    def open_page(
        address: str,
        width: int = 1280,
        theme: str = "light",
        script: bool = True,
        late: bool = False,
        init: str = "",
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            java_script_enabled=script,
        )
        context.set_default_timeout(HANGS_MILLISECONDS)
        contexts.append(context)
        visit = Visit(context.new_page())
        listen(visit)
        if init:
            visit.page.add_init_script(init)
        if late:
            _open_late(visit.page, address)
        else:
            visit.page.goto(address)
        if script:
            visit.page.evaluate(SETTLED)
        return visit

    try:
        yield open_page
    finally:
        for context in contexts:
            context.close()


def _open_late(page: Page, address: str) -> None:
    """Hold back what a page is painted without, fonts and deferred scripts, until it is painted."""
    html = page.request.get(address).text()
    scripts = re.findall(r"<script [^>]*defer[^>]*src=\"([^\"?]+)", html)
    deferred = {PurePosixPath(script).name for script in scripts}
    held: list[Route] = []
    painted = False

    def hold(route: Route) -> None:
        file = PurePosixPath(urlsplit(route.request.url).path)
        if not painted and (file.name in deferred or file.suffix in (".woff", ".woff2")):
            held.append(route)
        else:
            route.continue_()

    page.route("**/*", hold)
    page.goto(address, wait_until="commit")
    page.wait_for_function(PAINTED)
    painted = True
    for route in held:
        route.continue_()
    page.wait_for_load_state()


def listen(visit: Visit) -> None:
    page, complaints = visit.page, visit.complaints
    page.on("request", lambda request: visit.requests.append(request.url))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    page.on("pageerror", lambda error: complaints.append(f"threw: {error}"))
    page.on(
        "response",
        lambda one: complaints.append(f"{one.status}: {one.url}") if one.status >= 400 else None,
    )
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
