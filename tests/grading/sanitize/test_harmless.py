"""HTML that a learner wrote, on formgrader's pages: it is read, and does nothing."""

from __future__ import annotations

import bs4
import pytest
from nbconvert.filters import markdown2html_mistune

from rnncourse.grading.sanitize.html import clean
from tests.grading.sanitize.test_markdown import ATTACKS, dangers

PNG = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_in_html_runs(attack: str) -> None:
    for text in (
        f" {attack}",
        markdown2html_mistune(attack),
        f"<div>{attack}",
        f"<pre>{attack}</pre>",
    ):
        assert dangers(clean(text)) == []
        assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    "style",
    [
        "list-style:url(https://evil.example/x.png)",
        "list-style:u\\72l(https://evil.example/x.png)",
        "list-style:image-set('https://evil.example/x.png' 1x)",
        "color:var(--x, url(https://evil.example))",
        "color:red;background:url(//evil.example)",
        "border-left:1px solid;border-image:url(x)",
        "color:expression(alert(1))",
        "margin:-9999px 0 0 -9999px",
        "margin:calc(0px - 99px)",
        "padding:0/**/;position:fixed",
        "position:fixed;top:0;left:0;width:100%;height:100%;z-index:9",
        "position : absolute ; inset : 0",
        "transform:scale(99)",
        "POSITION:FIXED",
    ],
)
def test_a_style_covers_nothing_and_asks_nobody(style: str) -> None:
    tag = bs4.BeautifulSoup(clean(f'<p style="{style}">x</p>'), "html.parser").p
    assert tag is not None and tag.text == "x"
    left = str(tag.attrs.get("style", ""))
    for word in ("url", "evil", "position", "(", "\\", "width", "transform", "-9", "background"):
        assert word not in left.lower()


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ('<img src="https://evil.example/x.png">', "<img>"),
        ('<img src="//evil.example/x.png">', "<img>"),
        ('<img src="x.png" srcset="//evil.example/x.png 2x">', "<img>"),
        ('<img src="data:image/svg+xml;base64,AAAA">', "<img>"),
        (f'<img src="{PNG}">', f'<img src="{PNG}">'),
        ('<table background="//evil.example"></table>', "<table></table>"),
        ('<p id="grade" class="nbgrader_cell" name="x" data-x="1">a</p>', "<p>a</p>"),
        ('<span class="kn">import</span>', '<span class="kn">import</span>'),
        ("1 &lt; 2 &amp; 3", "1 &lt; 2 &amp; 3"),
        ('<td colspan="2" title="t">a</td>', "a"),
        ("<!-- hidden -->a", "a"),
    ],
)
def test_what_is_left_of_html(html: str, shown: str) -> None:
    assert clean(html) == shown


def test_links_stay_and_know_nothing_of_this_page() -> None:
    said = clean('<a href="https://example.org" target="_blank" ping="//evil.example">x</a>')
    assert said == '<a href="https://example.org" rel="noopener noreferrer">x</a>'
    assert "href" not in clean('<a href=" DATA:text/html,x">x</a>')
    assert "href" not in clean('<a href="java&#x09;script:alert(1)">x</a>')


def test_a_reports_colours_stay() -> None:
    style = "border-left:4px solid #2f9e5f;padding:.5em 0 .5em 1em;font-weight:600;opacity:.8"
    said = clean(f"<div style='{style}'>right</div>")
    for part in ("border-left:4px solid #2f9e5f", "font-weight:600", "padding", "opacity"):
        assert part in said
