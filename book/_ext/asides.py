"""A claim that people make, in a box.

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


class Claim(SphinxDirective):
    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        title = nodes.title("", "A claim people make")
        box = nodes.admonition("", title, classes=["admonition", "warning"])
        self.set_source_info(box)
        self.state.nested_parse(self.content, self.content_offset, box)
        return [*mark(self, self.arguments[0]), box]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("claim", Claim)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
