"""A lesson as a notebook that runs elsewhere: its cells, and what it needs before and after them.

Cells that the page does not show hold what the author asserts and hands to the prose and to
figures. Of these only the statements stay by which a later cell gets a name that it uses, and
calls that are made for another effect, such as a filter of warnings.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from addresses import Addresses
from name_use import bound_names, use_before
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from plain_markdown import Lesson, plain_markdown

UNSEEN = {"remove-cell", "remove-input"}
"""Tags of cells whose code the page does not show."""
FOLD = "<details><summary>What happened</summary>"
HANDED_OVER = {"glue", "figure_data"}
"""Functions that hand values to the page, and do nothing in a notebook."""
PREDICTION = re.compile(r"^(```\{predict\}.*?^```|```\{reveal\}\n```)$", re.MULTILINE | re.DOTALL)
STORED = re.compile(r"\bstored/([\w./-]+)")
EXERCISE = re.compile(r"\]\(\.\./(exercises/\w+/\w+)\)")


def lesson_notebook(source: NotebookNode, lesson: Lesson, titles: dict[str, str]) -> NotebookNode:
    """The notebook of a lesson.

    Args:
        source: the lesson as MyST-NB reads it.
        lesson: what its Markdown refers to.
        titles: the titles of all pages.

    Raises:
        NoPlainFormError: something in it has no form in a notebook.
    """
    code = [cell for cell in source.cells if cell.cell_type == "code"]
    sources = iter(visible_sources((cell.source, _is_seen(cell)) for cell in code))
    cells = [_markdown(_beginning(lesson, titles)), _code(lesson.addresses.install_cell())]
    if stored := sorted({name for cell in code for name in STORED.findall(cell.source)}):
        cells.append(_code(fetch_cell(stored, lesson.addresses)))
    outcome = False
    for cell in source.cells:
        if cell.cell_type == "code":
            cells += [_code(text) for text in [next(sources)] if text]
            continue
        text, outcome = _prose(cell.source, lesson, outcome)
        cells += [_markdown(text)] if text else []
    cells += [_markdown(text) for text in [_end(source, lesson, titles)] if text]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # the same in every build
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(
        cells=cells, metadata={"kernelspec": python, "language_info": {"name": "python"}}
    )


def _prose(source: str, lesson: Lesson, outcome: bool) -> tuple[str, bool]:
    """A cell's plain Markdown, in which what happens after a prediction is folded.

    Args:
        outcome: whether the cell begins between a prediction and its end.

    Returns:
        the Markdown, and whether the next cell begins so.
    """
    texts = []
    for part in PREDICTION.split(source):
        if part.startswith("```{reveal}"):
            outcome = False
        elif text := plain_markdown(part, lesson).strip():
            folds = outcome and not part.startswith("```{predict}")
            texts.append(f"{FOLD}\n\n{text}\n\n</details>" if folds else text)
        outcome = outcome or part.startswith("```{predict}")
    return "\n\n".join(texts), outcome


def visible_sources(cells: Iterable[tuple[str, bool]]) -> list[str]:
    """The sources of code cells, "" for one that is left out.

    Args:
        cells: in order, the source of each, and whether the page shows it.
    """
    used: set[str] = set()
    made = []
    for source, seen in reversed(list(cells)):
        kept = list(_kept(source, seen, used))
        made.append(source if seen else "\n".join(reversed(kept)))
    return made[::-1]


def fetch_cell(names: Iterable[str], addresses: Addresses) -> str:
    """The cell that fetches stored results where they do not lie beside the notebook."""
    lines = [
        "# This notebook reads stored results; what does not lie beside it is fetched.",
        "from pathlib import Path\nfrom urllib.request import urlretrieve\n",
    ]
    for name in names:
        lines += [
            f'if not Path("stored/{name}").exists():',
            f'    Path("stored/{name}").parent.mkdir(parents=True, exist_ok=True)',
            f'    urlretrieve("{addresses.stored(name)}", "stored/{name}")',
        ]
    return "\n".join(lines)


def _kept(source: str, seen: bool, used: set[str]) -> Iterator[str]:
    """From the last to the first, the statements of a cell that are kept. `used` holds the names
    that the code after a statement uses."""
    for statement in reversed(ast.parse(_python(source)).body):
        needed = isinstance(statement, ast.Expr) or bound_names(statement) & used
        if seen or needed and not _hands_over(statement):
            use_before(statement, used)
            yield ast.get_source_segment(source, statement) or ""


def _hands_over(statement: ast.stmt) -> bool:
    """Whether a statement asserts or hands over, and does nothing else."""
    if isinstance(statement, ast.For | ast.If):
        return all(map(_hands_over, [*statement.body, *statement.orelse]))
    call = statement.value if isinstance(statement, ast.Expr) else None
    name = (
        call.func.attr
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        else ""
    )
    return isinstance(statement, ast.Assert) or name in HANDED_OVER


def _python(source: str) -> str:
    """A cell with lines that only IPython understands blanked, so that places stay."""
    return re.sub(r"^[%!].*$", "", source, flags=re.MULTILINE)


def _is_seen(cell: NotebookNode) -> bool:
    return not UNSEEN & set(cell.metadata.get("tags", []))


def _beginning(lesson: Lesson, titles: dict[str, str]) -> str:
    link = f"[{titles[lesson.docname]}]({lesson.addresses.page(lesson.docname)})"
    return (
        f"*This notebook is the course's page {link}. There figures move, and all outputs stand.*"
    )


def _end(source: NotebookNode, lesson: Lesson, titles: dict[str, str]) -> str:
    """What names the chapter's exercises; "" if it has none."""
    text = "\n".join(cell.source for cell in source.cells if cell.cell_type == "markdown")
    names = dict.fromkeys(EXERCISE.findall(text.partition("\n## Your turn\n")[2]))
    links = [
        f"[{titles[name]}]({lesson.addresses.page(name)}) "
        f"([open in Colab]({lesson.addresses.colab_exercise(name)}))"
        for name in names
    ]
    return f"**Now build it:** {', '.join(links)}." if links else ""


def _markdown(text: str) -> NotebookNode:
    return new_markdown_cell(text)


def _code(text: str) -> NotebookNode:
    return new_code_cell(text)
