"""Say how many rows a displayed formula has, so that the page does not jump when it is drawn.

MathJax draws formulas when it has been loaded. Until then ``course.css`` keeps so much room.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

FORMULA = re.compile(r'<div class="(?P<classes>(?:amsmath )?math[^"]*)"(?P<rest>[^>]*)>')
ROW_ENDS = r"\\"
TALL = re.compile(r"\\(?:d?frac|sum|prod|int)\b")
TALL_ROWS = 0.85
"""What a fraction or a sum needs beyond a row of letters."""


def rows(formula: str) -> float:
    """How many rows of letters a formula is high."""
    count = formula.count(ROW_ENDS) + 1
    return count + TALL_ROWS if TALL.search(formula) else count


def add_rows(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    body: str = context.get("body", "")

    def marked(start: re.Match[str]) -> str:
        formula = body[start.end() : body.find("</div>", start.end())]
        return f'<div class="{start["classes"]}"{start["rest"]} style="--rows: {rows(formula):g}">'

    if body:
        context["body"] = FORMULA.sub(marked, body)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("html-page-context", add_rows)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
