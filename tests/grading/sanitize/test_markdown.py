"""Learners' text on nbgrader's own pages: nothing runs, and formulas stay formulas."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import bs4
import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import markdown2html_mistune
from nbgrader.server_extensions.formgrader import handlers
from playwright.sync_api import Browser, Dialog
from traitlets.config import Config

from rnncourse.grading.sanitize.markdown import MAX_SHOWN, as_code, harmless, shortened
from rnncourse.grading.submissions.submission import Source, read
from tools.demonstration.learners import ROOT, filled, solutions

ATTACKS = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "a <img\nsrc=x\nonerror=alert(1)> b",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s></svg>",
    "<details ontoggle=alert(1) open>x</details>",
    "<b onclick=alert(1)>x</b>",
    "<br/onmouseover=alert(1)>",
    "<iframe srcdoc='&lt;script&gt;alert(1)&lt;/script&gt;'></iframe>",
    "<math><mtext></p><img src=x onerror=alert(1)></math>",
    "<style>@import url(//evil.example)</style><link rel=stylesheet href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[><script>alert(1)</script>]]>",
    "<?php ?><script>alert(1)</script>",
    "</p></div></body><script>alert(1)</script>",
    "<<script>script>alert(1)</script>",
    "<b><script >alert(1)</b ></script >",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](javascript\\:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&amp;#106;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](&Tab;javascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](vbscript:x)",
    "[x][y]\n\n[y]: javascript:alert(1)",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    '![x](x.png" onerror="alert(1))',
    '![" onerror="alert(1)](x.png)',
    "[x](/y 'z\" onmouseover=\"alert(1)')",
    "```mermaid\n<img src=x onerror=alert(1)>\n```",
    "```mermaid\n</pre><script>alert(1)</script>\n```",
    "```<img src=x onerror=alert(1)>\nx\n```",
    "```\n````\n<script>alert(1)</script>",
    "`<script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    "$<script>alert(1)</script>$",
    "$$\n<img src=x onerror=alert(1)>\n$$",
    "\\begin{x}<script>alert(1)</script>\\end{x}",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "# <img src=x onerror=alert(1)>",
    "term\n: <script>alert(1)</script>",
    "- [ ] <script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<a href='java&#x09;script:alert(1)'>x</a>",
    "<scr\x00ipt>alert(1)</script>",
    "http://x.example/<script>alert(1)</script>",
)
ALLOWED_LINKS = re.compile(r"^(https?:|#|[^:]*$|[^:]*[%/#?][^:]*:)", re.IGNORECASE)


def dangers(page: str) -> list[str]:
    """What in a page could run: scripts, handlers, links that are programs."""
    found = []
    for tag in bs4.BeautifulSoup(page, "html.parser").find_all(True):
        if tag.name in ("script", "iframe", "svg", "math", "style", "link", "meta", "form"):
            found.append(tag.name)
        for name, value in tag.attrs.items():
            if name.startswith("on") or name in ("style", "srcdoc", "action"):
                found.append(name)
            if name in ("href", "src") and not ALLOWED_LINKS.match(value):
                found.append(value)
    return found


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_in_markdown_runs(attack: str) -> None:
    for text in (harmless(attack), as_code(attack), harmless(f"x\n\n> {attack}\n\n1. {attack}")):
        assert dangers(markdown2html_mistune(text)) == []


def test_the_attacks_are_attacks() -> None:
    """Most of them would run without care, or this test tests nothing."""
    dangerous = [attack for attack in ATTACKS if dangers(markdown2html_mistune(attack))]
    assert len(dangerous) > len(ATTACKS) / 2


@pytest.mark.parametrize(
    "text, page",
    [
        ("$a<b$ and $x < y$", "$a&lt; b$ and $x &lt; y$"),
        ("$$\\begin{aligned}a &= b\\\\ c &< d\\end{aligned}$$", "a &amp;= b\\\\ c &amp;&lt; d"),
        ("A & B, 1 < 2 > 0", "A &amp; B, 1 &lt; 2 &gt; 0"),
        ("> quoted", "<blockquote>"),
        ("**bold** and `x<y`", "<strong>bold</strong> and <code>x&lt; y</code>"),
        ("[here](https://example.org/a?b=1&c=2)", 'href="https://example.org/a?b=1&amp;c=2"'),
        ("x<sub>1</sub><br>y", "x<sub>1</sub><br>y"),
        ("<details><summary>Hint</summary>\n\nyes\n\n</details>", "<details><summary>"),
        ("My script: it runs. Data: none.", "My script: it runs. Data: none."),
        ("```python\nif a<b:\n    pass\n```", "a"),
    ],
)
def test_what_is_harmless_reads_as_before(text: str, page: str) -> None:
    assert page in markdown2html_mistune(harmless(text))


@pytest.mark.parametrize("link", ["attachment:y", "attachment\\:y", "&#97;ttachment:y"])
def test_an_attachment_that_is_not_kept_stops_no_page(link: str) -> None:
    assert "ttachment" in markdown2html_mistune(harmless(f"![x]({link})"))


def test_long_texts_are_cut(tmp_path: Path, source: Source) -> None:
    text = shortened("x" * (MAX_SHOWN + 7))
    assert len(text) < MAX_SHOWN + 100
    assert text.endswith("\n[7 more characters are not shown]")
    notebook = json.loads(filled(solutions()))
    long = {"cell_type": "code", "metadata": {}, "source": "# " + "x" * MAX_SHOWN}
    notebook["cells"] += [long | {"id": f"x{n}"} for n in range(20)]
    done = in_order(notebook, tmp_path, source)
    assert len(json.dumps(done)) < 10 * MAX_SHOWN + len(json.dumps(notebook)) - 20 * MAX_SHOWN


@pytest.fixture(scope="module")
def source() -> Source:
    return Source(json.loads((ROOT / "solutions/lstm/lstm.ipynb").read_text("utf-8")))


@pytest.fixture
def hostile() -> dict[str, Any]:
    """A notebook with every attack in every kind of cell and everything that belongs to cells."""
    notebook: dict[str, Any] = json.loads(filled(solutions()))
    for attack in ATTACKS:
        for kind in ("markdown", "raw", "code"):
            metadata = {"raw_mimetype": "text/html", "format": "text/html", "tags": [attack]}
            cell = {"cell_type": kind, "id": attack, "metadata": metadata, "source": attack}
            cell |= {"attachments": {"y.png": {"image/svg+xml": attack}}}
            cell |= {"outputs": [{"output_type": "display_data", "data": {"text/html": attack}}]}
            notebook["cells"].append(cell)
    notebook["metadata"]["title"] = notebook["metadata"]["language_info"] = ATTACKS[0]
    return notebook


def in_order(notebook: dict[str, Any], folder: Path, source: Source) -> dict[str, Any]:
    """What the grader makes of a notebook."""
    path = folder / "submitted/ada/lstm/lstm.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    submission = read(path.parent, "ada", "lstm", source)
    assert submission.notebook
    return submission.notebook


def formgraders_page(notebook: dict[str, Any]) -> str:
    """A notebook as formgrader shows it: its exporter and its templates."""
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    resources = {"base_url": "", "index": 0, "total": 1, "notebook_id": "lstm"}
    exporter = HTMLExporter(config=config)
    page, _ = exporter.from_notebook_node(nbformat.from_dict(notebook), resources=resources)
    return str(page)


def test_formgrader_shows_a_hostile_notebook_without_harm(
    hostile: dict[str, Any], tmp_path: Path, source: Source
) -> None:
    honest = in_order(json.loads(filled(solutions())), tmp_path, source)
    page = formgraders_page(in_order(hostile, tmp_path, source))
    assert dangers(page) == dangers(formgraders_page(honest))  # formgrader's own scripts
    assert "alert(1)" in page


def dialogs(browser: Browser, page: str, awaited: int = 0) -> int:
    """How many alerts a page opens when somebody touches everything on it.

    Args:
        awaited: so many must come.
    """
    context = browser.new_context()
    context.route("**/*", lambda route: route.abort())
    tab = context.new_page()
    seen: list[str] = []

    def close(dialog: Dialog) -> None:
        seen.append(dialog.message)
        dialog.dismiss()

    tab.on("dialog", close)
    tab.set_content(page, wait_until="domcontentloaded")
    tab.evaluate(
        """() => {
            for (const element of document.querySelectorAll("#notebook *"))
                for (const name of ["mouseover", "toggle", "click", "error"])
                    element.dispatchEvent(new Event(name));
            for (const link of document.querySelectorAll("#notebook a"))
                if (!link.href.startsWith("http")) link.click();
        }"""
    )
    tab.wait_for_timeout(200)
    while len(seen) < awaited:
        tab.wait_for_timeout(50)
    context.close()
    return len(seen)


def test_nothing_opens_in_a_browser(
    browser: Browser, hostile: dict[str, Any], tmp_path: Path, source: Source
) -> None:
    careless = in_order(json.loads(filled(solutions())), tmp_path, source)
    for n, attack in enumerate(ATTACKS):
        cell = {"cell_type": "markdown", "id": f"x{n}", "metadata": {}, "source": attack}
        careless["cells"].append(cell)
    assert dialogs(browser, formgraders_page(careless), awaited=11) > 10
    assert dialogs(browser, formgraders_page(in_order(hostile, tmp_path, source))) == 0
