"""Figures of lessons: their lines and words stand out from the paper of every theme."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import strength
from tests.browser import Open

from .site import LESSONS

SHOWN = """
() => [...document.querySelectorAll(".cell_output img")]
  .filter((image) => getComputedStyle(image).display !== "none")
  .map((image) => image.src.split("/").at(-1))
"""
PAPER = "getComputedStyle(document.body).backgroundColor"
ENOUGH = 4.5
"""The least contrast of text after WCAG 2, AA."""


def light_of(colour: tuple[int, ...]) -> float:
    """The relative luminance of a colour after WCAG."""
    parts = [v / 255 for v in colour]
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    low, high = sorted(map(light_of, (one, other)))
    return (high + 0.05) / (low + 0.05)


def drawn_in(svg: Path) -> set[tuple[int, ...]]:
    """The colours of a drawing."""
    found = re.findall(r"#([0-9a-f]{6})", svg.read_text(encoding="utf-8"))
    return {tuple(bytes.fromhex(colour)) for colour in found}


@pytest.mark.long
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_figure_is_strong_in_the_theme(
    theme: str, site: Path, address: str, visit: Open
) -> None:
    looked_at = 0
    for lesson in strength.some(LESSONS):
        if "dark-light" in (site / f"{lesson}.html").read_text(encoding="utf-8"):
            pytest.fail(f"a figure of {lesson} has the same colours in both themes")
        page = visit(f"{address}{lesson}.html", theme=theme).page
        paper = tuple(map(int, re.findall(r"\d+", page.evaluate(PAPER))[:3]))
        names = page.evaluate(SHOWN)
        assert all(name.endswith(f".{theme}.svg") for name in names), names
        for name in names:
            looked_at += 1
            weak = [c for c in drawn_in(site / "_images" / name) if contrast(c, paper) < ENOUGH]
            assert not weak, (lesson, name, weak)
    assert looked_at > 2


def test_without_a_script_there_is_one_picture_each(address: str, visit: Open) -> None:
    page = visit(f"{address}book/lstm.html", script=False).page
    names = page.evaluate(SHOWN)
    assert names and all(name.endswith(".light.svg") for name in names)
