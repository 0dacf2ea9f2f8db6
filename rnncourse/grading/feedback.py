"""The page a learner gets back: each exercise's verdict beside the learner's own code."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, Template
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from ..checks.report import SIGNS, remarks
from .record import Record

WORDS = {
    "passed": "all right",
    "partial": "partly right",
    "failed": "not right yet",
    "unfilled": "not filled in",
    "error": "ended with an error",
    "timeout": "did not end",
    "refused": "could not be read",
}


def page(record: Record) -> str:
    """The feedback page of a record, one HTML file that needs nothing else.

    Whatever comes from the learner is escaped, and the page's policy forbids scripts and requests.
    """
    return _template().render(
        record=record, words=WORDS, signs=SIGNS, remarks=remarks, code=_code, styles=_styles()
    )


@cache
def _template() -> Template:
    loader = PackageLoader("rnncourse.grading", "templates")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["points"] = lambda value: f"{value:g}"
    return environment.get_template("feedback.html")


def _code(source: str) -> Markup:
    return Markup(highlight(source, PythonLexer(), HtmlFormatter(cssclass="code")))


@cache
def _styles() -> Markup:
    """Pygments' colours for light and for dark pages."""
    light = HtmlFormatter(style="default").get_style_defs(".code")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".code")
    return Markup(f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}")
