"""Seven learners and what each handed in for the assignment lstm, as real notebook files.

The files are made from the released exercise, so that they are never older than it.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rnncourse._notebook import grade_id
from tools import answers
from tools.answers import lstm as other

ROOT = Path(__file__).parents[2]
ASSIGNMENT = "lstm"

WRONG_ORDER = """
@fill
def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
    sums = x @ w_ih.T + b_ih + h @ w_hh.T + b_hh
    i, f, o, g = sums.chunk(4, dim=1)
    c_next = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_next), c_next
"""

ENDLESS_LOOP = """
@fill
def lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    h, c, output, t = h0, c0, [], 0
    while t < len(x):
        h, c = lstm_cell(x[t], h, c, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), (h, c)
"""


def write_class(course: Path) -> None:
    """Write the seven submissions into `course`/submitted."""
    for learner, text in _submissions():
        path = course / "submitted" / learner / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def filled(answers: dict[str, str]) -> str:
    """The released notebook with these cells' sources in place of the empty ones."""
    notebook = _notebook("exercises")
    for cell in notebook["cells"]:
        if grade_id(cell) in answers:
            cell["source"] = answers[grade_id(cell)].strip()
    return json.dumps(notebook, indent=1)


def solutions() -> dict[str, str]:
    """The instructor's cells, by exercise."""
    return dict(answers.solutions(ASSIGNMENT).sources)


def answer(exercise: str, function: Callable[..., Any]) -> str:
    """A function of tools/answers as a learner's cell."""
    text = inspect.getsource(function)
    body = text[text.index("def ") :]
    return "@fill\n" + body.replace(f"def {function.__name__}(", f"def {exercise}(", 1)


def _submissions() -> Iterator[tuple[str, str]]:
    right = solutions()
    yield "ada", filled(right)
    yield (
        "bilal",
        filled(
            {
                "lstm_cell": answer("lstm_cell", other.one_gate_at_a_time),
                "lstm_layer": answer("lstm_layer", other.written_into_place),
                "pack_gates": answer("pack_gates", other.filled_block_by_block),
                "unpack_gates": answer("unpack_gates", other.reshaped),
                "set_forget_bias": answer("set_forget_bias", other.half_in_each),
            }
        ),
    )
    yield "chen", filled(right | {"lstm_cell": WRONG_ORDER})
    yield (
        "dora",
        filled(right | {"lstm_cell": answers.mistaken("lstm_cell", "second_bias_forgotten")}),
    )
    yield "emre", filled({})
    yield "farah", filled(right | {"lstm_layer": ENDLESS_LOOP})
    yield "goran", filled(right)[:3000]


def _notebook(room: str) -> dict[str, Any]:
    path = ROOT / room / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
