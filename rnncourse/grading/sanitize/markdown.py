"""Learners' text, made harmless for pages that render Markdown without care.

nbgrader's pages let HTML in Markdown through, links of every kind, and diagrams unescaped. A
sanitizer of HTML does not help: it knows no Markdown, so it lets [x](javascript:...) pass and
breaks formulas such as $a<b$. Here a space goes between the characters that would start a tag, an
entity, or a link that runs something. That takes no knowledge of where in the Markdown they are,
so no trick can lead it astray, and text, code and formulas read as before.
"""

from __future__ import annotations

import re

MAX_SHOWN = 20_000
"""Characters of a cell that are shown: for some texts the time to render them grows with the
square of their length."""

_PLAIN_TAG = r"/?(?:details|summary|br|hr|b|i|u|em|strong|sub|sup|kbd|p|center)[ ]*/?>"
_TAG = re.compile(rf"<(?=[a-z/!?])(?!{_PLAIN_TAG})", re.IGNORECASE)
_ENTITY = re.compile(r"&(?=#?\w+;)(?!(?:lt|gt|nbsp);)")
_SCHEME = re.compile(r"(javascript|vbscript|attachment)(?=\\?:)", re.IGNORECASE)
"""An attachment that is not there stops nbgrader's page, and attachments are not kept."""


def harmless(text: str) -> str:
    """Markdown that runs nothing, wherever it is rendered, and looks as `text` does."""
    text = _TAG.sub("< ", text)
    text = _ENTITY.sub("& ", text)
    return _SCHEME.sub(r"\1 ", text)


def as_code(text: str) -> str:
    """Markdown that shows a text as it is."""
    longest = max((len(run) for run in re.findall(r"`{3,}|~{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{harmless(text)}\n{fence}"


def shortened(text: str, length: int = MAX_SHOWN) -> str:
    """A text, or the beginning of it that can be shown."""
    if len(text) <= length:
        return text
    return f"{text[:length]}\n[{len(text) - length} more characters are not shown]"
