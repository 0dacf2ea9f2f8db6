"""A learner's notebook as HTML that runs nothing: for formgrader, which shows it to the person who
holds the marks, on pages of the Jupyter server itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import nh3
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from traitlets import default

TAGS = frozenset(
    ("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "hr", "i")
    + ("h1", "h2", "h3", "h4", "h5", "h6", "img", "ins", "kbd", "li", "ol", "p", "pre", "q", "s")
    + ("span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul")
)
ATTRIBUTES = {
    "*": {"alt", "class", "title", "style", "width", "height", "colspan", "rowspan", "start"},
    "a": {"href"},
    "img": {"src"},
}
STYLES = frozenset(
    ("border-left", "color", "font-style", "font-weight", "line-height", "list-style", "margin")
    + ("opacity", "padding", "text-align")
)
SCHEMES = frozenset(("http", "https", "mailto", "data"))
_PICTURE = re.compile(r"data:image/(png|jpeg|gif);base64,", re.IGNORECASE)
_HIGHLIGHTED = re.compile(r"highlight|[a-z]{1,2}[0-9]?")
# No brackets, quotes, slashes or escapes: a value cannot name an address. No hyphen before a
# number: a margin below zero would draw over the page.
_STYLE = re.compile(r"(?:[\w\s:;.,#%]|-(?=[a-z]))*", re.IGNORECASE)


class HarmlessExporter(HTMLExporter):
    """nbconvert's HTML exporter, which cleans Markdown and the HTML of outputs and leaves scripts
    and widgets out."""

    @default("sanitize_html")
    def _sanitize_html_default(self) -> bool:
        return True

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """nbconvert's filters, with our `clean_html`."""
        yield from super().default_filters()  # type: ignore[no-untyped-call]
        yield "clean_html", clean

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Markdown as clean HTML."""
        return clean(super().markdown2html(context, source))


def clean(html: str | bytes) -> str:
    """HTML without anything that runs, loads from elsewhere, or gets into the way of formgrader's
    own scripts, which look elements up by id and class."""
    return _CLEANER.clean(html.decode() if isinstance(html, bytes) else str(html))


def _allowed(tag: str, name: str, value: str) -> str | None:
    """An attribute's value, or None to leave the attribute out."""
    fine = True
    if name == "class":  # of Pygments
        fine = bool(_HIGHLIGHTED.fullmatch(value))
    elif name == "href":
        fine = not value.lstrip().lower().startswith("data:")
    elif name == "src":
        fine = bool(_PICTURE.match(value))
    elif name == "style":
        fine = bool(_STYLE.fullmatch(value))
    return value if fine else None


_CLEANER = nh3.Cleaner(
    tags=set(TAGS),
    attributes=ATTRIBUTES,
    attribute_filter=_allowed,
    filter_style_properties=set(STYLES),
    url_schemes=set(SCHEMES),
)
