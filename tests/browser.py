"""The browser of this machine, started the way tests and pictures need it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

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

    def listen(self) -> None:
        """Note what is asked for and complained of from now on."""
        for event, listener in self._listeners.items():
            self.page.on(event, listener)

    def end(self) -> None:
        """Note nothing more."""
        for event, listener in self._listeners.items():
            self.page.remove_listener(event, listener)

    @cached_property
    def _listeners(self) -> dict[Any, Callable[[Any], None]]:
        def complain(text: str, really: bool = True) -> None:
            if really:
                self.complaints.append(text)

        return {
            "request": lambda request: self.requests.append(request.url),
            "requestfailed": lambda request: complain(f"failed: {request.url}"),
            "pageerror": lambda error: complain(f"threw: {error}"),
            "response": lambda one: complain(f"{one.status}: {one.url}", one.status >= 400),
            "console": lambda said: complain(said.text, said.type in ("error", "warning")),
        }


Open = Callable[..., Visit]


class Tabs:
    """Open tabs of a browser, each of which is used again: a new one takes a second to open a page,
    as it starts a process and compiles every script anew."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[bool, list[Page]] = {True: [], False: []}

    def take(self, width: int, theme: str, script: bool) -> Page:
        """An empty tab, in which nothing is left of an earlier visit."""
        free = self._free[script]
        page = free.pop() if free else self._opened(script)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        return page

    def give_back(self, visit: Visit, script: bool) -> None:
        """Leave a page, and forget what it stored and what was set for it."""
        page = visit.page
        visit.end()
        page.unroute_all()
        page.evaluate("try { localStorage.clear(); sessionStorage.clear(); } catch {}")
        page.context.clear_cookies()
        page.emulate_media(media="null", color_scheme="null")
        page.mouse.move(0, 0)
        page.goto("about:blank")
        self._free[script].append(page)

    def _opened(self, script: bool) -> Page:
        context = self._browser.new_context(java_script_enabled=script)
        context.set_default_timeout(HANGS_MILLISECONDS)
        return context.new_page()


_tabs: WeakKeyDictionary[Browser, Tabs] = WeakKeyDictionary()


@contextmanager
def visits(browser: Browser) -> Iterator[Open]:
    """A function that opens an address: `visit(address, width=390, theme="dark", script=True)`.

    It comes back when the page has settled. With `late`, the page is painted before any of its
    deferred scripts and fonts arrive, as on a slow connection, whatever the speed of the machine.
    """
    tabs = _tabs.setdefault(browser, Tabs(browser))
    taken: list[tuple[Visit, bool]] = []

    def open_page(
        address: str,
        width: int = 1280,
        theme: str = "light",
        script: bool = True,
        late: bool = False,
    ) -> Visit:
        visit = Visit(tabs.take(width, theme, script))
        taken.append((visit, script))
        visit.listen()
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
        for visit, script in taken:
            tabs.give_back(visit, script)


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
