"""How long a lesson takes, counted from its source.

The directive ``{reading-time}`` says it at the top of a lesson, and ``{course-time}`` on the front
page for the whole course. A minute is 120 words of prose, or 8 lines of visible code; a prediction
takes two. What is folded (``closer``) is counted by itself, since a reader may leave it out.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

WORDS_A_MINUTE = 120
CODE_LINES_A_MINUTE = 8
PREDICTION_MINUTES = 2
ROUNDED_TO = 5

FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
CLOSER = re.compile(r"^```\{closer\}(.*?)^```\{closer-end\}\n```$", re.MULTILINE | re.DOTALL)
CELL = re.compile(
    r"^```\{code-cell\}[^\n]*\n(?P<options>---\n.*?^---\n|(?:^:[^\n]*\n)*)(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
UNSEEN = re.compile(r"hide-input|remove-")
PREDICTION = re.compile(r"^```\{predict\}", re.MULTILINE)
NOT_READ = re.compile(
    r"^```\{(?:terms|covers|reveal|bibliography|reading-time)\}.*?^```$"  # no prose
    r"|<svg.*?</svg>|<[^>]+>"  # drawings, tags
    r"|^:\w+:[^\n]*$|^```[^\n]*$|^\|[-|: ]+\|$"  # options, fences, lines of tables
    r"|\{[\w:]+\}|\]\([^)]*\)",  # roles, addresses of links
    re.MULTILINE | re.DOTALL,
)
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL)
WORD = re.compile(r"[\w'’-]*\w")
STATED = re.compile(r"about (?P<number>\d+|two) (?P<unit>minutes|hours)")


@dataclass(frozen=True)
class ReadingTime:
    """What there is to read, run and predict.

    Attributes:
        words: of prose; a formula is one.
        code_lines: that the page shows.
        predictions: that the reader makes.
    """

    words: int = 0
    code_lines: int = 0
    predictions: int = 0

    @property
    def minutes(self) -> int:
        """Rounded up to five."""
        exact = (
            self.words / WORDS_A_MINUTE
            + self.code_lines / CODE_LINES_A_MINUTE
            + self.predictions * PREDICTION_MINUTES
        )
        return math.ceil(exact / ROUNDED_TO) * ROUNDED_TO


def reading_times(source: str) -> tuple[ReadingTime, ReadingTime]:
    """A lesson's time, and the time of what is folded in it.

    Args:
        source: the lesson's MyST Markdown.
    """
    text = FRONT_MATTER.sub("", source)
    return _counted(CLOSER.sub("", text)), _counted("\n".join(CLOSER.findall(text)))


def _counted(text: str) -> ReadingTime:
    prose = FORMULA.sub(" formula ", NOT_READ.sub(" ", CELL.sub("", text)))
    seen = [m["code"] for m in CELL.finditer(text) if not UNSEEN.search(m["options"])]
    lines = [line for code in seen for line in code.splitlines() if line.strip()]
    return ReadingTime(len(WORD.findall(prose)), len(lines), len(PREDICTION.findall(text)))


def exercise_minutes(notebook: str) -> int:
    """What an exercise's notebook says at its top, such as "about 45 minutes".

    Args:
        notebook: its JSON.

    Raises:
        ValueError: it says nothing of the kind.
    """
    first = "".join(json.loads(notebook)["cells"][0]["source"])
    if not (stated := STATED.search(first)):
        raise ValueError("the first cell does not say how many minutes the exercise takes")
    number = 2 if stated["number"] == "two" else int(stated["number"])
    return number * (60 if stated["unit"] == "hours" else 1)


class ReadingTimeLine(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        core, folded = reading_times(Path(self.env.doc2path(self.env.docname)).read_text("utf-8"))
        return [nodes.paragraph("", lesson_sentence(core, folded))]


class CourseTimeLine(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        lessons, exercises = list(_chapters(root)), sorted(root.glob("exercises/*/*.ipynb"))
        for path in (*lessons, *exercises):
            self.env.note_dependency(str(path))
        read = sum(reading_times(path.read_text("utf-8"))[0].minutes for path in lessons)
        built = sum(exercise_minutes(path.read_text("utf-8")) for path in exercises)
        return [nodes.paragraph("", course_sentence(read, built))]


def _chapters(root: Path) -> Iterator[Path]:
    """The lessons that say how long they take."""
    for path in sorted(root.glob("book/*.md")):
        if "```{reading-time}" in path.read_text("utf-8"):
            yield path


def lesson_sentence(core: ReadingTime, folded: ReadingTime) -> str:
    """How long a lesson takes, for its readers."""
    more = f" The folded boxes, which you may leave out, take {folded.minutes} more."
    begin = f"Reading, running and predicting take about {core.minutes} minutes."
    return begin + (more if folded.minutes else "")


def course_sentence(read: int, built: int) -> str:
    """How long the course takes, in hours.

    Args:
        read: minutes for the chapters.
        built: minutes for the exercises.
    """
    hours = [max(1, round(minutes / 60)) for minutes in (read, built)]
    return f"The chapters take about {hours[0]} hours, and the exercises about {hours[1]}."


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("reading-time", ReadingTimeLine)
    app.add_directive("course-time", CourseTimeLine)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
