"""Two boxes that every lesson uses: something to predict, and a claim that people make.

    ```{predict}
    How much is left after ten steps?
    ```

    ```{claim} forget-acts-on-input
    “The forget gate acts on the input.”
    ```

A claim is named as in ``book/coverage.toml``. The cells after it test the claim, so the box counts
as the place where the course puts it right (see ``coverage``).
"""

from __future__ import annotations

from coverage_list import mark
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata


class Predict(SphinxDirective):
    has_content = True

    def run(self) -> list[nodes.Node]:
        return [_box(self, "Predict", "tip")]


class Claim(SphinxDirective):
    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        return [*mark(self, self.arguments[0]), _box(self, "A claim people make", "warning")]


def _box(directive: SphinxDirective, title: str, kind: str) -> nodes.Node:
    directive.assert_has_content()
    box = nodes.admonition("", nodes.title("", title), classes=["admonition", kind])
    directive.set_source_info(box)
    directive.state.nested_parse(directive.content, directive.content_offset, box)
    return box


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("predict", Predict)
    app.add_directive("claim", Claim)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
