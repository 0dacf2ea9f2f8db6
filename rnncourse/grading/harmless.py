"""A learner's notebook as HTML that runs nothing: for formgrader, which shows it to the person who
holds the marks, on pages of the Jupyter server itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import bleach
from bleach.css_sanitizer import CSSSanitizer
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from traitlets import default

TAGS = frozenset(
    ("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "hr", "i")
    + ("h1", "h2", "h3", "h4", "h5", "h6", "img", "ins", "kbd", "li", "ol", "p", "pre", "q", "s")
    + ("span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul")
)
STYLES = frozenset(
    ("border-left", "color", "font-style", "font-weight", "line-height", "list-style", "margin")
    + ("opacity", "padding", "text-align")
)
PROTOCOLS = frozenset(("http", "https", "mailto", "data"))
_PICTURE = re.compile(r"data:image/(png|jpeg|gif);base64,", re.IGNORECASE)
_HIGHLIGHTED = re.compile(r"highlight|[a-z]{1,2}[0-9]?")


class HarmlessExporter(HTMLExporter):
    """nbconvert's HTML exporter, which cleans Markdown and the HTML of outputs and leaves scripts
    and widgets out."""

    @default("sanitize_html")
    def _sanitize_html_default(self) -> bool:
        return True

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        yield from super().default_filters()  # type: ignore[no-untyped-call]
        yield "clean_html", clean

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        return clean(super().markdown2html(context, source))


def clean(html: str | bytes) -> str:
    """HTML without anything that runs, loads from elsewhere, or gets into the way of formgrader's
    own scripts, which look elements up by id and class."""
    text = html.decode() if isinstance(html, bytes) else str(html)
    styles = CSSSanitizer(allowed_css_properties=STYLES)
    cleaned: str = bleach.clean(
        text, TAGS, attributes=_allowed, protocols=PROTOCOLS, css_sanitizer=styles
    )
    return cleaned


def _allowed(tag: str, name: str, value: str) -> bool:
    if name == "class":  # of Pygments
        return bool(_HIGHLIGHTED.fullmatch(value))
    if (tag, name) == ("a", "href"):
        return not value.lstrip().lower().startswith("data:")
    if (tag, name) == ("img", "src"):
        return bool(_PICTURE.match(value))
    return name in ("alt", "title", "style", "width", "height", "colspan", "rowspan", "start")
