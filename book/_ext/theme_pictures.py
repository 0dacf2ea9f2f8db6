"""Draw each figure of a lesson in the colours of the reader's theme.

Lessons draw on nothing, in colours that can be seen on light and on dark pages, and are strong on
neither (``rnncourse.plots``). The site has each SVG twice, in the colours that ``course.css`` names
for a theme, and shows the one of the theme: an ``<img>`` cannot take colours from its page.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from rnncourse.plots import COLOURS, GREY

STYLES = Path("book", "_static", "course.css")
NAMES = dict(zip(COLOURS, ("figure-1", "figure-2", "figure-3", "figure-5"), strict=False)) | {
    GREY: "ink-soft"
}
"""What a colour of ``rnncourse.plots`` is called in the style sheet."""
SHOWN = {"light": "only-light", "dark": "only-dark pst-js-only"}
"""The classes by which the theme shows a picture; without a script a page is light."""
FIGURE = re.compile(
    r'<img (?P<before>[^>]*)\bclass="dark-light" '
    r'src="(?P<place>[^"]*_images/)(?P<name>[^"/]+)\.svg"(?P<after>[^>]*)>'
)


def palette(styles: str, theme: str) -> dict[str, str]:
    """The colours of a theme, by those with which lessons draw."""
    found = re.search(rf'html\[data-theme="{theme}"\] \{{(.*?)\}}', styles, re.DOTALL)
    values = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", found[1] if found else ""))
    return {colour: values[name] for colour, name in NAMES.items()}


def recoloured(svg: str, colours: dict[str, str]) -> str:
    """A drawing in other colours."""
    return re.sub(r"#[0-9a-f]{6}", lambda found: colours.get(found[0], found[0]), svg)


def show_by_theme(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Put two pictures where a lesson has one."""

    def both(image: re.Match[str]) -> str:
        return "".join(
            f'<img {image["before"]}loading="lazy" class="{classes}" '
            f'src="{image["place"]}{image["name"]}.{theme}.svg"{image["after"]}>'
            for theme, classes in SHOWN.items()
        )

    if "body" in context:
        context["body"] = FIGURE.sub(both, context["body"])


def write_pictures(app: Sphinx, exception: Exception | None) -> None:
    """Write each drawing in the colours of each theme, beside the one that came of the cell."""
    if exception or app.builder.format != "html":
        return
    styles = Path(app.srcdir, STYLES).read_text(encoding="utf-8")
    palettes = {theme: palette(styles, theme) for theme in SHOWN}
    for path in Path(app.outdir, "_images").glob("*.svg"):
        if path.stem.endswith(tuple(f".{theme}" for theme in SHOWN)):
            continue
        svg = path.read_text(encoding="utf-8")
        for theme, colours in palettes.items():
            path.with_suffix(f".{theme}.svg").write_text(recoloured(svg, colours), "utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    # After image_sizes, so that both pictures have a size.
    app.connect("html-page-context", show_by_theme, priority=900)
    app.connect("build-finished", write_pictures)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
