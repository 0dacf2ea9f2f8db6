"""Give every picture its width and height, so that the page does not jump when it arrives.

Browsers take the ratio from these two attributes and the width from the style sheet. docutils
can write sizes as styles only, from which browsers take no ratio.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.images import get_image_size
from sphinx.util.typing import ExtensionMetadata

IMAGE = re.compile(r'<img (?P<attributes>[^>]*\bsrc="(?P<src>[^"]+)"[^>]*)>')


def add_sizes(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    sources = {name: source for source, name in app.builder.images.items()}

    def sized(image: re.Match[str]) -> str:
        source = sources.get(unquote(posixpath.basename(image["src"])))
        size = get_image_size(str(Path(app.srcdir, source))) if source else None
        if not size or re.search(r"\b(width|height)[=:]", image["attributes"]):
            return image[0]
        return f'<img width="{size[0]}" height="{size[1]}" {image["attributes"]}>'

    if "body" in context:
        context["body"] = IMAGE.sub(sized, context["body"])


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("html-page-context", add_sizes)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
