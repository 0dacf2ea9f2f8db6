"""The author's loop: a saved sentence runs no cell, and a saved cell those of its page only."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.browser import Open

ROOT = Path(__file__).parents[1]
CONFIG = f"""title: A small book
only_build_toc_files: true
exclude_patterns: [_build]
execute: {{execute_notebooks: cache, timeout: 600}}
sphinx:
  local_extensions: {{fresh_outputs: {ROOT / "book" / "_ext"}}}
  config: {{html_static_path: [book/_static], html_css_files: [own.css]}}
"""
TOC = "format: jb-book\nroot: book/index\nchapters:\n  - file: book/one\n"
LESSON = """---
file_format: mystnb
kernelspec:
  name: python3
---

# Lesson {name}

The old sentence.

```{{code-cell}} ipython3
with open("../ran.txt", "a") as file:
    print("{name}", file=file)
print("the value of {name} is", 6 * 7)
```
"""


@dataclass
class Look:
    """`make look` at work on a small book of two lessons."""

    root: Path
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    address: str = ""

    def read_until(self, pattern: str) -> re.Match[str]:
        """Read what it prints up to a line."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError("".join(self.said))

    def wait_for_address(self) -> None:
        self.address = self.read_until(r"The course +(http\S+)")[1]

    def page(self, name: str) -> str:
        with urllib.request.urlopen(f"{self.address}{name}") as answer:
            return str(answer.read().decode())

    def wait_for(self, name: str, text: str) -> str:
        """The page as it is served, once it holds a text; pytest ends what hangs."""
        while text not in (page := self.page(name)):
            assert self.process.poll() is None
            time.sleep(0.1)
        return page

    def change(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    @property
    def ran(self) -> list[str]:
        """The lessons whose cells were run, as they say themselves."""
        return (self.root / "ran.txt").read_text(encoding="utf-8").split()


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Look]:
    pytest.importorskip("jupyter_book", reason="jupyter-book is not installed: make setup")
    root = tmp_path_factory.mktemp("book")
    (root / "book" / "_static").mkdir(parents=True)
    (root / "book" / "_static" / "own.css").write_text("", encoding="utf-8")
    (root / "_config.yml").write_text(CONFIG, encoding="utf-8")
    (root / "_toc.yml").write_text(f"{TOC}  - file: book/two\n", encoding="utf-8")
    (root / "book" / "index.md").write_text("# A small book\n", encoding="utf-8")
    for name in ("one", "two"):
        text = LESSON.format(name=name)
        (root / "book" / f"{name}.md").write_text(text, encoding="utf-8")
    with started("--book", str(root), "--port", "0") as process:
        found = Look(root, process)
        found.wait_for_address()
        yield found
        process.terminate()


def started(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tools.look", *options],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_changed_sentence_is_shown_and_nothing_is_run(look: Look) -> None:
    before = sorted(look.ran)
    assert before == ["one", "two"]
    look.change("book/one.md", "The old sentence.", "The new sentence.")
    page = look.wait_for("book/one.html", "The new sentence.")
    assert "The old sentence." not in page
    assert "the value of one is 42" in page
    assert sorted(look.ran) == before


def test_a_changed_cell_runs_its_page_only(look: Look) -> None:
    before = look.ran
    look.change("book/two.md", "6 * 7", "6 * 8")
    page = look.wait_for("book/two.html", "the value of two is 48")
    assert "the value of two is 42" not in page
    assert look.ran == [*before, "two"]


def test_an_error_in_a_cell_is_told_and_the_loop_goes_on(look: Look) -> None:
    look.change("book/two.md", "6 * 8", "6 * undefined_name")
    look.read_until("two.md.*Executing notebook failed")
    before = look.ran
    look.change("book/one.md", "The new sentence.", "The third sentence.")
    look.wait_for("book/one.html", "The third sentence.")
    assert look.ran == before
    look.change("book/two.md", "6 * undefined_name", "6 * 8")
    look.wait_for("book/two.html", "the value of two is 48")


def test_an_open_page_loads_itself_again(look: Look, visit: Open) -> None:
    page = visit(f"{look.address}book/one.html").page
    look.change("book/one.md", "# Lesson one", "# Lesson one, in another form")
    page.get_by_role("heading", name="Lesson one, in another form").wait_for()
    look.change("book/_static/own.css", "", "h1 { letter-spacing: 7px; }")
    # While the page loads itself there is no heading for a moment.
    page.wait_for_function(
        """() => {
             const heading = document.querySelector("h1");
             return heading && getComputedStyle(heading).letterSpacing === "7px";
           }"""
    )


def test_the_pages_themselves_hold_nothing_of_it(look: Look) -> None:
    assert "/-/version" in look.page("book/one.html")
    built = (look.root / "_build" / "look" / "html" / "book" / "one.html").read_text("utf-8")
    assert "the value of one is 42" in built
    assert "/-/version" not in built


def test_other_contents_start_it_anew(look: Look) -> None:
    (look.root / "book" / "three.md").write_text("# A third page\n", encoding="utf-8")
    look.change("_toc.yml", "book/two", "book/three")
    look.wait_for_address()
    assert "A third page" in look.page("book/one.html")


def test_a_port_that_is_taken_and_a_folder_without_a_book_are_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with started("--port", str(port)) as process:
            said, _ = process.communicate()
    assert (process.returncode, said) == (
        1,
        f"port {port} is taken: choose another, make look PORT=8001\n",
    )
    with started("--book", str(tmp_path)) as process:
        said, _ = process.communicate()
    assert (process.returncode, said) == (1, f"{tmp_path} has no _toc.yml: it is no book.\n")
