"""A lesson's MyST Markdown as the plain Markdown of a notebook.

Directives become quotes, lists, tables and links; roles become the text that the page shows. What
has no plain form, as a figure with controls, becomes a sentence with a link to the page. A
directive or role that is not known here is an error, so that none is left by mistake.
"""

from __future__ import annotations

import base64
import html
import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from addresses import Addresses
from myst_nb.core.variables import format_plain_text
from questions import parse_answers
from reading_time import ReadingTime, lesson_sentence
from references import Work
from terms import BAR

FENCE = re.compile(r"(?P<marks>`{3,}|:{3,})(?:\{(?P<name>[\w-]+)\}[ \t]*(?P<argument>.*)|\w*)\n")
FIGURE = re.compile(
    r"<figure>\n(?P<svg><svg.*?</svg>)\n<figcaption>(?P<caption>.*?)</figcaption>\n"
    r"</figure>\n",
    re.DOTALL,
)
INLINE = re.compile(
    r"\{(?P<role>[\w:]+)\}`(?P<text>[^`]*)`"
    r"|(?P<kept>`[^`]*`|\$\$[^$]*\$\$|\$[^$]*\$)"
    r"|\]\((?!https?:|#)(?P<target>[^)\s]+)\)"
)
OPTION = re.compile(r"^:(?P<name>[\w-]+):[ \t]*(?P<value>.*)$")
INK = "#7c7c7c"
"""The colour of drawings: it reads on light and on dark pages."""


class NoPlainFormError(Exception):
    """Something in a lesson has no form in a notebook."""


@dataclass(frozen=True)
class Lesson:
    """What a lesson's Markdown refers to.

    Attributes:
        docname: its page.
        values: by key, what its cells handed to the prose.
        works: by key, what it cites.
        pages: the names of all pages.
        addresses: where the course is published.
        times: how long it takes, and what is folded in it.
    """

    docname: str
    values: Mapping[str, str]
    works: Mapping[str, Work]
    pages: frozenset[str]
    addresses: Addresses
    times: tuple[ReadingTime, ReadingTime] = (ReadingTime(), ReadingTime())


@dataclass(frozen=True)
class Directive:
    """A directive as it stands in the text."""

    name: str
    argument: str
    body: str


def plain_markdown(text: str, lesson: Lesson) -> str:
    """The Markdown of a notebook's cell.

    Raises:
        NoPlainFormError: a directive, role or link is not known.
    """
    made, prose = [], ""
    rest = text.rstrip("\n") + "\n"
    while rest:
        block, length = _block(rest, lesson)
        if block is None:
            prose, rest = prose + rest[:length], rest[length:]
            continue
        # Without a blank line after it, a quote or a table would take the next line in.
        made += [_inline(prose, lesson), f"\n{block}\n\n"]
        prose, rest = "", rest[length:]
    made.append(_inline(prose, lesson))
    return re.sub(r"\n{3,}", "\n\n", "".join(made)).strip("\n")


def _block(text: str, lesson: Lesson) -> tuple[str | None, int]:
    """What the beginning of a text becomes, and its length; None and one line where it is prose."""
    if found := FIGURE.match(text):
        return _drawing(found["svg"], found["caption"]), found.end()
    fence = FENCE.match(text)
    if not fence:
        return None, text.index("\n") + 1
    end = re.compile(rf"^{fence['marks']}\s*$\n?", re.MULTILINE).search(text, fence.end())
    if not end:
        raise NoPlainFormError(f"{lesson.docname}: {fence[0].strip()} has no end")
    if not fence["name"]:
        return text[: end.end()], end.end()
    body = text[fence.end() : end.start()]
    return _directive(Directive(fence["name"], fence["argument"], body), lesson), end.end()


def _directive(directive: Directive, lesson: Lesson) -> str:
    if directive.name not in DIRECTIVES:
        raise NoPlainFormError(f"{lesson.docname}: no plain form of {{{directive.name}}} is known")
    return DIRECTIVES[directive.name](directive, lesson).strip("\n") + "\n"


def _inline(text: str, lesson: Lesson) -> str:
    def replaced(found: re.Match[str]) -> str:
        if found["role"]:
            return _role(found["role"], found["text"], lesson)
        return found["kept"] or f"]({_link(found['target'], lesson)})"

    return INLINE.sub(replaced, text)


def _role(role: str, text: str, lesson: Lesson) -> str:
    if role == "glue:text":
        key, _, form = text.partition(":")
        return format_plain_text(lesson.values[key], form or "s")
    if role in ("cite", "cite:p", "cite:t"):
        works = [lesson.works[key.strip()] for key in text.split(",")]
        if role == "cite:t":
            return ", ".join(_linked(f"{work.names} ({work.year})", work) for work in works)
        return f"({'; '.join(_linked(f'{work.names}, {work.year}', work) for work in works)})"
    raise NoPlainFormError(f"{lesson.docname}: no plain form of {{{role}}}`{text}` is known")


def _linked(text: str, work: Work) -> str:
    return f"[{text}]({work.address})" if work.address else text


def _link(target: str, lesson: Lesson) -> str:
    path, mark, fragment = target.partition("#")
    if path.startswith("stored/"):
        return lesson.addresses.stored(path.removeprefix("stored/"))
    page = posixpath.normpath(posixpath.join(posixpath.dirname(lesson.docname), path))
    if page not in lesson.pages:
        raise NoPlainFormError(f"{lesson.docname}: the link to {target} leads to no page")
    return lesson.addresses.page(page) + mark + fragment


def _quote(title: str, text: str, lesson: Lesson) -> str:
    lines = [f"**{title}**", "", *_inline(text.strip("\n"), lesson).splitlines()]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _options(body: str) -> tuple[dict[str, str], str]:
    """The options at the beginning of a directive's body, and the rest."""
    options, lines = {}, body.splitlines()
    while lines and (found := OPTION.match(lines[0])):
        options[found["name"]] = found["value"]
        lines.pop(0)
    return options, "\n".join(lines)


def _predict(directive: Directive, lesson: Lesson) -> str:
    options, body = _options(directive.body)
    unit = options.get("number")
    wanted = "" if unit is None else f"\n\n*Your number{f', in {unit}' if unit else ''}:* …"
    return _quote("Predict", body.strip("\n") + wanted, lesson)


def _nothing(directive: Directive, lesson: Lesson) -> str:
    return ""


def _closer(directive: Directive, lesson: Lesson) -> str:
    return f"**Look closer: {_inline(directive.argument, lesson)}** (you may leave this out)"


def _closer_end(directive: Directive, lesson: Lesson) -> str:
    return "*Here the closer look ends.*"


def _reading_time(directive: Directive, lesson: Lesson) -> str:
    return lesson_sentence(*lesson.times)


def _claim(directive: Directive, lesson: Lesson) -> str:
    return _quote("A claim people make", directive.body, lesson)


def _admonition(directive: Directive, lesson: Lesson) -> str:
    return _quote(directive.argument, _options(directive.body)[1], lesson)


def _question(directive: Directive, lesson: Lesson) -> str:
    answers = parse_answers(directive.body.splitlines())
    reasons = [
        f"- **{'Right' if one.right else 'Wrong'}:** *{one.text}.* {one.reason}" for one in answers
    ]
    lines = [
        f"**{directive.argument}**",
        "",
        *(f"- {one.text}" for one in answers),
        *("", "<details><summary>Each answer, and why</summary>", ""),
        *reasons,
        *("", "</details>"),
    ]
    return _inline("\n".join(lines), lesson)


def _interactive(directive: Directive, lesson: Lesson) -> str:
    options, caption = _options(directive.body)
    page = lesson.addresses.page(lesson.docname)
    said = f"**A figure with controls** stands here [on the course's page]({page}). "
    return said + _inline(f"{options['alt']}\n\n{caption}", lesson)


def _terms(directive: Directive, lesson: Lesson) -> str:
    rows = [BAR.split(line) for line in directive.body.splitlines() if line.strip()]
    lines = ["| English | 中文 | here |", "|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(cell.strip() for cell in row)} |" for row in rows])


def _bibliography(directive: Directive, lesson: Lesson) -> str:
    return "\n".join(sorted(f"- {work.text}" for work in lesson.works.values()))


def _drawing(svg: str, caption: str) -> str:
    """An inline drawing as a picture: a notebook shows no svg element, but it shows an image."""
    described = re.search(r"<desc[^>]*>(.*?)</desc>", svg, re.DOTALL)
    size = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    if not described or not size:
        raise NoPlainFormError("a drawing has no desc or no viewBox from 0 0")
    alone = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    coded = base64.b64encode(alone.replace("currentColor", INK).encode()).decode()
    alt = html.escape(html.unescape(" ".join(described[1].split())))
    return (
        f'<img width="{size[1]}" height="{size[2]}" alt="{alt}" '
        f'src="data:image/svg+xml;base64,{coded}">\n\n{caption}\n'
    )


DIRECTIVES: dict[str, Callable[[Directive, Lesson], str]] = {
    "admonition": _admonition,
    "bibliography": _bibliography,
    "claim": _claim,
    "closer": _closer,
    "closer-end": _closer_end,
    "covers": _nothing,
    "interactive": _interactive,
    "predict": _predict,
    "question": _question,
    "reading-time": _reading_time,
    "reveal": _nothing,
    "terms": _terms,
}
