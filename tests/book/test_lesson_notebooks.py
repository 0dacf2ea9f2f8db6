"""Each lesson as a notebook: the page's code and numbers, no MyST left, and it runs elsewhere."""

from __future__ import annotations

import functools
import re
import shutil
from importlib import import_module
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests import strength

from .site import CELL, CHAPTERS, EXERCISES, ROOT, code_cells, read

addresses = import_module("addresses").read_addresses(ROOT)
lesson_notebook = import_module("lesson_notebook")

PAGES = [*CHAPTERS, "book/conventions"]
CHEAP = ["book/conventions", "book/shapes"]
"""Lessons whose notebooks are executed in any case."""
HANGS = 1800
OUTCOME = re.compile(r"^```\{predict\}.*?^```$(.*?)^```\{reveal\}$", re.MULTILINE | re.DOTALL)
LEFT = re.compile(r"\{[a-z:-]+\}`|^(?:```|:::+)\{.*|^\([\w-]+\)=$", re.M)
every_lesson = pytest.mark.parametrize("page", PAGES)


def name_of(page: str) -> str:
    return f"lesson-{page.removeprefix('book/')}.ipynb"


def notebook(page: str, site: Path) -> NotebookNode:
    return nbformat.read(site / "notebooks" / name_of(page), as_version=4)


def code_of(found: NotebookNode) -> list[str]:
    return [cell.source for cell in found.cells if cell.cell_type == "code"]


def markdown_of(found: NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in found.cells if cell.cell_type == "markdown")


@every_lesson
def test_its_code_is_the_pages_code(page: str, site: Path) -> None:
    """Behind the cells that install and fetch; of what the page hides, no assert is left."""
    first, *rest = code_of(notebook(page, site))
    assert first == addresses.install_cell()
    if any("stored/" in code for code, _ in code_cells(page)):
        assert "urlretrieve(" in rest.pop(0)
    shown = [code for code, seen in code_cells(page) if seen]
    hidden = "\n".join(code for code, seen in code_cells(page) if not seen)
    extra = [code for code in rest if code not in shown]
    assert [code for code in rest if code in shown] == shown
    for line in "\n".join(extra).splitlines():
        assert line in hidden
        assert not re.search(r"\bassert\b|\bglue\(|figure_data\(", line)


@every_lesson
def test_it_is_a_clean_notebook(page: str, site: Path) -> None:
    found = notebook(page, site)
    nbformat.validate(found)
    assert all(cell.metadata == {} for cell in found.cells)
    code = [cell for cell in found.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert LEFT.findall(markdown_of(found)) == []
    assert addresses.page(page) in found.cells[0].source


@every_lesson
def test_its_links_lead_to_pages_of_the_site(page: str, site: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", markdown_of(notebook(page, site)))
    own = [link for link in links if link.startswith(addresses.site)]
    assert own
    assert [link for link in links if not link.startswith("https://")] == []
    assert "]()" not in markdown_of(notebook(page, site))
    for link in own:
        assert (site / link.removeprefix(addresses.site).partition("#")[0]).is_file(), link


@pytest.mark.parametrize("page", CHAPTERS)
def test_its_end_names_the_chapters_exercise(page: str, site: Path) -> None:
    last = notebook(page, site).cells[-1].source
    named = re.findall(r"\[open in Colab\]\((\S+?)\)", last)
    assert named and set(named) <= {addresses.colab_exercise(name) for name in EXERCISES}


@every_lesson
def test_its_prose_has_the_numbers_of_the_page(page: str, site: Path) -> None:
    html = (site / f"{page}.html").read_text(encoding="utf-8")
    shown = re.findall(r'<span class="pasted-text">([^<]*)</span>', html)
    source = (ROOT / f"{page}.md").read_text(encoding="utf-8")
    prose = markdown_of(notebook(page, site))
    for before, value in zip(re.findall(r"(.{0,9})\{glue:text\}`", source), shown, strict=True):
        if not re.search(r"[`{}\]\[(]", before):
            assert before + value in prose


@every_lesson
def test_every_question_and_drawing_is_there(page: str, site: Path) -> None:
    source = (ROOT / f"{page}.md").read_text(encoding="utf-8")
    prose = markdown_of(notebook(page, site))
    questions = len(re.findall(r"^(?:```|:::)\{question\}", source, re.M))
    assert prose.count("<details><summary>Each answer, and why</summary>") == questions
    assert prose.count("> **Predict**") == len(
        re.findall(r"^```\{(?:predict\}|.*Predict)", source, re.M)
    )
    assert prose.count('src="data:image/svg+xml;base64,') == source.count("<svg")


@every_lesson
def test_what_happens_after_a_prediction_is_folded(page: str, site: Path) -> None:
    prose = markdown_of(notebook(page, site))
    folds = re.findall(r"<summary>What happened</summary>\n\n(.*?)\n\n</details>", prose, re.DOTALL)
    outcomes = OUTCOME.findall((ROOT / f"{page}.md").read_text(encoding="utf-8"))
    texts = [text for outcome in outcomes for text in CELL.sub("\0", outcome).split("\0")]
    assert len(folds) == sum(bool(text.strip()) for text in texts)
    assert all("> **Predict**" not in fold for fold in folds)


@functools.cache
def executed(page: str, site: Path, folder: Path) -> NotebookNode:
    """A notebook after Run All in a folder with nothing else; raises if a cell does."""
    found = notebook(page, site)
    place = {"metadata": {"path": str(folder)}}
    NotebookClient(found, timeout=HANGS, startup_timeout=HANGS, resources=place).execute()
    return found


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES if strength.full() else CHEAP)
def test_it_runs_in_an_empty_folder(page: str, site: Path, tmp_path: Path) -> None:
    """But for stored results, which the zip puts beside it."""
    if "stored/" in "".join(code_of(notebook(page, site))):
        shutil.copytree(site / "notebooks" / "stored", tmp_path / "stored")
    said = [
        output
        for cell in executed(page, site, tmp_path).cells
        for output in cell.get("outputs", [])
    ]
    assert any("text" in output for output in said)


def test_stored_results_are_fetched_from_the_site_once(
    site: Path, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = code_of(notebook("book/gru", site))[1].replace(addresses.site, address)
    monkeypatch.chdir(tmp_path)
    exec(fetch, {})
    stored = tmp_path / "stored" / "forgetting.json"
    assert stored.read_bytes() == (ROOT / "book/stored/forgetting.json").read_bytes()
    stored.write_text("{}")
    exec(fetch, {})
    assert stored.read_text() == "{}"


def test_a_hidden_cell_stays_where_later_code_needs_it() -> None:
    cells = [
        ("import torch\nx = 1\nrow = []", True),
        ("import math\nhelp = math.pi\nassert x == 1\nunused = 2\nplots.glue('help', help)", False),
        ("def area(r):\n    return help * r\nprint([x for x in row])", True),
        ("row = [2]\nlate = 3\nimport warnings\nwarnings.simplefilter('ignore')", False),
        ("for late in range(3):\n    row = late\nprint(row)", True),
    ]
    assert lesson_notebook.visible_sources(cells) == [
        cells[0][0],
        "import math\nhelp = math.pi",
        cells[2][0],
        "row = [2]\nimport warnings\nwarnings.simplefilter('ignore')",
        cells[4][0],
    ]


def test_code_that_is_not_run_stays_as_it_is() -> None:
    module = import_module("plain_markdown")
    lesson = module.Lesson("book/demo", {}, {}, frozenset({"book/demo"}), addresses)
    text = "Compare\n\n```python\ndh = ds @ W  # {glue:text}`x`\n```\n\nwith this."
    assert module.plain_markdown(text, lesson) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```{mermaid}\n```", "no plain form of {mermaid} is known"),
        ("{doc}`lstm`", "no plain form of {doc}`lstm` is known"),
        ("[there](nowhere)", "the link to nowhere leads to no page"),
        ("```{predict}\nHow many?", "```{predict} has no end"),
    ],
)
def test_what_has_no_plain_form_is_said(text: str, said: str) -> None:
    module = import_module("plain_markdown")
    lesson = module.Lesson("book/demo", {}, {}, frozenset({"book/demo"}), addresses)
    with pytest.raises(module.NoPlainFormError) as caught:
        module.plain_markdown(text, lesson)
    assert said in str(caught.value)


@every_lesson
def test_its_page_leads_to_it_and_to_nothing_that_does_not_run(page: str, site: Path) -> None:
    links = read(site / f"{page}.html").links
    files = [link for link in links if link.endswith((".ipynb", ".md"))]
    assert {link for link in files if "colab." not in link} == {f"../notebooks/{name_of(page)}"}
    assert [link for link in files if "colab." in link] == [addresses.colab_lesson(page)]
