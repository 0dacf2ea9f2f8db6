"""The browser of this machine, started the way tests and pictures need it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, Playwright

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
