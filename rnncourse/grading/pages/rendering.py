"""What the pages for learners and instructors share.

A page is one HTML file that asks nobody for anything. Its policy allows the style and the script
that stand in this package, by their hashes, and pictures that the page itself holds; so whatever a
learner writes cannot run, even if it were not escaped. It is escaped, all the same.
"""

from __future__ import annotations

import base64
import hashlib
import keyword
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, Template
from markupsafe import Markup, escape
from pygments.lexer import RegexLexer, words
from pygments.token import Comment, Keyword, Number, String, Text, Token


class Look(NamedTuple):
    """How an exercise went: the class of its colour, its sign and its words."""

    kind: str
    sign: str
    words: str


LOOKS = {
    look.kind: look
    for look in (
        Look("passed", "✓", "all right"),
        Look("partial", "◐", "partly right"),
        Look("failed", "✗", "not right yet"),
        Look("unfilled", "○", "not filled in"),
        Look("error", "!", "ended with an error"),
        Look("timeout", "∞", "did not end"),
        Look("slept", "∞", "waited or slept"),
        Look("refused", "⊘", "could not be read"),
        Look("waits", "?", "waits for a person"),
        Look("by-hand", "✎", "marked by a person"),
    )
}
"""By verdict, and two more: no mark yet, and a mark that somebody gave."""

MAX_CODE = 12_000
"""Characters of a cell that are shown."""
MAX_TEXT = 4_000
"""Characters of an output or an error that are shown."""
MAX_SIDE = 4_000
"""Pixels: a picture can say that it is so large that it takes all memory to show it."""

_PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()[:10]
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b"
    "\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
"""Characters without a look of their own, and those that change the direction of others."""
_JOINERS = re.compile("[\u200c\u200d]")
"""Persian words and families in emoji need them; in code they only hide things."""


@dataclass(frozen=True)
class Picture:
    """A PNG file inside a page: its address, and its size in pixels."""

    source: str
    width: int
    height: int


class _Python(RegexLexer):  # type: ignore[misc]  # Pygments has no types
    """Python in the few colours of a page: four times as fast as Pygments' own lexer, which tells
    apart far more, and in time that grows as the code does, whatever the code."""

    name = "Python in five colours"
    flags = re.DOTALL
    tokens = {
        "root": [
            (r"\s+", Text),
            (r"#[^\n]*", Comment),
            (r'[a-zA-Z]{0,2}"""(?:[^"\\]|\\(?:.|\Z)|"(?!""))*(?:""")?', String),
            (r"[a-zA-Z]{0,2}'''(?:[^'\\]|\\(?:.|\Z)|'(?!''))*(?:''')?", String),
            (r'[a-zA-Z]{0,2}"(?:[^"\\\n]|\\.)*"?', String),
            (r"[a-zA-Z]{0,2}'(?:[^'\\\n]|\\.)*'?", String),
            (words(keyword.kwlist, suffix=r"\b"), Keyword),
            (r"@\w+(?:\.\w+)*", Keyword),
            (r"[^\W\d]\w*", Text),
            (r"\d[\w.]*", Number),
            (r".", Text),
        ]
    }


_CLASSES = {Comment: "c", Keyword: "k", Number: "n", String: "s", Text: "", Token.Error: ""}
_LEXER = _Python()


def visible(text: str, joiners: bool = True) -> str:
    """Text in which characters that cannot be seen are replaced by their number.

    Args:
        joiners: keep the two that join letters and emoji.
    """
    text = text.replace("\r\n", "\n")
    if text.isascii() and text.isprintable():
        return text
    text = _UNSEEN.sub(_number, text)
    return text if joiners else _JOINERS.sub(_number, text)


def code(source: str) -> Markup:
    """Python as HTML, coloured, and cut where it is very long."""
    source, left_out = _cut(source.strip("\n"), MAX_CODE)
    parts: list[str] = []
    kind, run = "", ""
    for _, token, text in _LEXER.get_tokens_unprocessed(visible(source, joiners=False)):
        if _CLASSES[token] != kind:
            parts.append(_span(kind, run))
            kind, run = _CLASSES[token], ""
        run += text
    return Markup("".join([*parts, _span(kind, run), escape(left_out)]))


def shortened(text: str) -> str:
    """An output or an error, cut where it is very long."""
    kept, left_out = _cut(text.strip("\n"), MAX_TEXT)
    return kept + left_out


def picture(text: str) -> Picture | None:
    """A picture from the base64 text of a PNG file; None if it is something else or too large."""
    if not text.startswith(_PNG) or len(text) % 4 or not _BASE64.fullmatch(text):
        return None
    header = base64.b64decode(text[:32])
    width, height = int.from_bytes(header[16:20]), int.from_bytes(header[20:24])
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        return None
    return Picture(f"data:image/png;base64,{text}", width, height)


def render(name: str, **content: Any) -> str:
    """A page from its template."""
    return _template(name).render(content)


@cache
def _template(name: str) -> Template:
    loader = PackageLoader("rnncourse.grading.pages", "templates")
    environment = Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_seen
    )
    environment.filters |= {"points": points}
    environment.globals |= {"style": _style(name), "script": _script(name)}
    environment.globals["policy"] = _policy(_style(name), _script(name))
    return environment.get_template(f"{name}.html")


def points(value: float) -> str:
    """A mark with as many decimals as it has, two at most."""
    return f"{round(value, 2):g}".replace("-", "−")


def _seen(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _style(name: str) -> Markup:
    return Markup(_lines("pages.css") + _lines(f"{name}.css"))


def _script(name: str) -> Markup:
    exists = files(__package__).joinpath("templates", f"{name}.js").is_file()
    return Markup(_lines(f"{name}.js") if exists else "")


def _lines(name: str) -> str:
    """A file of this package without indentation and comments, which every page would carry."""
    text = files(__package__).joinpath("templates", name).read_text(encoding="utf-8")
    lines = (line.strip() for line in re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).split("\n"))
    return "".join(f"{line}\n" for line in lines if line)


def _policy(style: str, script: str) -> Markup:
    allowed = ["default-src 'none'", "img-src data:", "base-uri 'none'", "form-action 'none'"]
    allowed.append(f"style-src {_hash(style)}")
    allowed += [f"script-src {_hash(script)}"] if script else []
    return Markup("; ".join(allowed))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _span(kind: str, text: str) -> str:
    return f'<span class="{kind}">{escape(text)}</span>' if kind else str(escape(text))


def _cut(text: str, limit: int) -> tuple[str, str]:
    """The beginning of a text, and a line that says how much is left out; "" if nothing is."""
    if len(text) <= limit:
        return text, ""
    return text[:limit], f"\n… {len(text) - limit:,} more characters are not shown."


def _number(found: re.Match[str]) -> str:
    return f"⟨U+{ord(found[0]):04X}⟩"
