"""A report as a person reads it: in a notebook as HTML, in a terminal as text."""

from __future__ import annotations

import sys
from html import escape
from typing import TYPE_CHECKING

from .report import Report, StageReport

if TYPE_CHECKING:  # who imports the package in a notebook needs no rich
    from rich.text import Text

SIGNS = {"passed": "✓", "failed": "✗", "not reached": "·"}
COLOURS = {"passed": "#2f9e5f", "failed": "#d9534f", "not reached": "#8a8f98"}
"""Green, red and grey of a middle lightness: readable on white and on black. The signs and words
say the same."""

ALL_BY_PROBE = (
    "This function does its own part: with others in the place of the functions that it calls, it "
    "is right. Its numbers are still wrong, because one of those functions is."
)
SOME_BY_PROBE = (
    "One of the functions that it calls is wrong, too. Where that made the only difference, others "
    "were put in their place, and the stage passed."
)


def headline(report: Report, hidden: bool = False) -> str:
    """One line on the whole exercise. A public check never says that all is right: hidden tests
    come later."""
    if report.unfilled or report.stopped:
        return report.unfilled or report.stopped
    kind = "hidden tests" if hidden else "public checks"
    count = f"{report.exercise}: {report.passed} of {len(report.stages)} {kind} passed"
    more_to_come = report.complete and not hidden
    return f"{count}; hidden ones run at grading." if more_to_come else f"{count}."


def remarks(report: Report) -> list[str]:
    """What is worth saying beside the stages."""
    found = [f"{ready_made(report)} It will not count."] if report.ready_made else []
    found += [report.mistake.sentence] if report.mistake else []
    if any(stage.by_probe for stage in report.stages):
        all_passed = report.passed == len(report.stages)
        found.append(ALL_BY_PROBE if all_passed else SOME_BY_PROBE)
    return found


def status(report: Report) -> str:
    """How far an exercise is, in a word or three."""
    if report.complete:
        return "done"
    if report.stopped:
        return "stopped"
    if report.ready_made and not report.failed:
        return "ready-made"
    return "not filled in" if report.unfilled else "not right yet"


def ready_made(report: Report) -> str:
    """A sentence on what it uses of torch, where that is to be written."""
    used = report.ready_made[0]
    return f"{report.exercise} uses {used}, which does what you are asked to write."


def text(report: Report, note: str = "", hidden: bool = False) -> str:
    """The report as plain text."""
    lines = [note] if note else []
    lines.append(f"{SIGNS[_state(report)]} {headline(report, hidden)}")
    lines += [f"  → {remark}" for remark in remarks(report)]
    lines += [line for stage in _reached(report) for line in _stage_lines(stage)]
    if later := _not_reached(report):
        lines.append(f"  {SIGNS['not reached']} {later}")
    return "\n".join(lines)


def html(report: Report, note: str = "", hidden: bool = False) -> str:
    """The report as a piece of HTML that inherits the page's colours."""
    state = _state(report)
    parts = [f"<p style='margin:0 0 .4em;opacity:.8'>{escape(note)}</p>"] if note else []
    title = _mark(state) + escape(headline(report, hidden))
    parts.append(f"<p style='margin:0;font-weight:600'>{title}</p>")
    parts += [
        f"<p style='margin:.5em 0 .2em'>→ <strong>{escape(remark)}</strong></p>"
        for remark in remarks(report)
    ]
    items = [_stage_html(stage) for stage in _reached(report)]
    if later := _not_reached(report):
        items.append(f"<li>{_mark('not reached')}{escape(later)}</li>")
    parts.append(f"<ul style='list-style:none;margin:.5em 0 0;padding:0'>{''.join(items)}</ul>")
    return (
        f"<div class='rnncourse-report' style='border-left:4px solid {COLOURS[state]};"
        f"padding:.5em 0 .5em 1em;margin:.5em 0;line-height:1.5'>{''.join(parts)}</div>"
    )


def show(report: Report, note: str = "") -> None:
    """Display a report where the caller is: a notebook, or a terminal."""
    if "IPython" in sys.modules:
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is not None:
            bundle = {"text/plain": text(report, note), "text/html": html(report, note)}
            display(bundle, raw=True)
            return
    from rich.console import Console

    Console(soft_wrap=True, highlight=False).print(styled(report, note))


def styled(report: Report, note: str = "") -> Text:
    """The report as text with coloured signs, for a terminal."""
    from rich.text import Text

    whole = Text(text(report, note))
    for status, colour in COLOURS.items():
        whole.highlight_words([SIGNS[status] + " "], style=f"bold {colour}")
    return whole


def _state(report: Report) -> str:
    if report.unfilled:
        return "not reached"
    return "passed" if report.complete else "failed"


def _mark(status: str) -> str:
    style = f"display:inline-block;width:1.3em;font-weight:700;color:{COLOURS[status]}"
    return f"<span style='{style}'>{SIGNS[status]}</span>"


def _reached(report: Report) -> list[StageReport]:
    return [] if report.unfilled else [s for s in report.stages if s.status != "not reached"]


def _not_reached(report: Report) -> str:
    """One line for all that waits for the rest to be right; "" when nothing does."""
    names = [stage.name for stage in report.stages if stage.status == "not reached"]
    told = report.unfilled or report.stopped
    return "" if told or not names else f"later: {', '.join(names)}"


def _stage_lines(stage: StageReport) -> list[str]:
    return [
        f"  {SIGNS[stage.status]} {stage.name}",
        *(f"      {sentence}" for sentence in stage.sentences),
    ]


def _stage_html(stage: StageReport) -> str:
    hidden = f"<span style='position:absolute;left:-999em'>{stage.status}: </span>"
    sentences = "".join(
        f"<div style='margin-left:1.3em'>{escape(sentence)}</div>" for sentence in stage.sentences
    )
    return f"<li>{_mark(stage.status)}{hidden}{escape(stage.name)}{sentences}</li>"
