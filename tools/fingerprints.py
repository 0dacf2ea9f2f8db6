"""Makes rnncourse/checks/fingerprints/*.json from the hidden references and the known mistakes.

    python -m tools.fingerprints

Processors and builds of torch differ in the last digits, so a stored number is rewritten only when
it has really changed: beyond a share of the tolerance with which it is compared later. Everything
else (fixtures, ids, sentences, names, dtypes, shapes, whole numbers) is exact. A test fails while
the files are not what this makes.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

import rnncourse
from rnncourse._exercise import CHAPTERS, exercises
from rnncourse.checks import plan_of, run
from rnncourse.checks.compare import close
from rnncourse.checks.fingerprints import arrays_of
from rnncourse.checks.judge import is_near, naming_tolerance
from rnncourse.checks.plan import Key, Plan, key
from rnncourse.checks.results import Arrays
from rnncourse.grading.spec import signature
from tests.mistakes import known

FOLDER = Path(rnncourse.__file__).parent / "checks" / "fingerprints"
DIGITS = {torch.float32: 6, torch.float64: 12}
"""Kept of a number; whole ones are kept as they are."""
SEED = 20
SHARE = 1 / 5
"""Of a tolerance: how far a stored number may be from what this machine makes. The rest is for the
machine of whoever runs a check."""

Content = dict[str, Any]
Same = Callable[[torch.Tensor, torch.Tensor], bool]


def chapter_content(chapter: str) -> Content:
    """What is stored for a chapter, ready for JSON."""
    specs = importlib.import_module(f"tests.hidden.{chapter}").SPECS
    names = [e.name for e in exercises().values() if e.chapter == chapter]
    return {name: _exercise_content(chapter, name, specs[name].reference) for name in names}


def settled(made: Content, stored: Content) -> Content:
    """What was made, with the stored numbers wherever these are the same up to rounding."""
    return {
        name: _settled_exercise(plan_of(exercises()[name]), entry, stored[name])
        if name in stored
        else entry
        for name, entry in made.items()
    }


def read(chapter: str) -> Content:
    """What is stored for a chapter now; empty if nothing is."""
    path = FOLDER / f"{chapter}.json"
    content: Content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return content


def written(content: Content) -> str:
    """JSON with a line for each fixture, answer and mistake, so that a difference shows where."""
    lines: list[str] = []
    for name, entry in content.items():
        lists = ",\n".join(
            f'"{part}": [\n' + ",\n".join(json.dumps(item) for item in items) + "\n]"
            for part, items in entry.items()
        )
        lines.append(f'"{name}": {{\n{lists}\n}}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _exercise_content(chapter: str, name: str, reference: Any) -> Content:
    plan = plan_of(exercises()[name])
    generator = torch.Generator().manual_seed(SEED)
    fixtures = [plan.fixture(s, generator) for s in plan.sizes]
    stages = [s for s in plan.stages(*fixtures) if s.aspect != "device"]
    cases = {key(c): c for s in stages for c in (*s.cases, *s.instead)}
    expected = run(reference, cases)
    stored = {k: o for k, o in expected.items() if not plan.oracle or k[0] != name}
    whole = {k: c for k, c in cases.items() if k[1].startswith("fixture")}
    mistakes = [
        {
            "id": entry.mistake.id,
            "sentence": entry.mistake.sentence,
            "calls": _calls(signature(plan, run(entry.function, whole), expected)),
        }
        for entry in known(chapter, name)
    ]
    return {
        "fixtures": [_numbers(arrays) for arrays in fixtures],
        "answers": _calls({k: o.arrays for k, o in stored.items()}),
        "mistakes": mistakes,
    }


def _settled_exercise(plan: Plan, made: Content, stored: Content) -> Content:
    """An exercise's content: each part is compared as the check will compare it."""
    naming = naming_tolerance(plan)
    answers = _settled_calls(
        made["answers"],
        stored["answers"],
        lambda old, new: close(old, new, plan.relation.atol * SHARE, SHARE),
    )
    calls = {mistake["id"]: mistake["calls"] for mistake in stored["mistakes"]}
    mistakes = [
        mistake
        | {
            "calls": _settled_calls(
                mistake["calls"],
                calls.get(mistake["id"], []),
                lambda old, new: is_near(old, new, naming * SHARE),
            )
        }
        for mistake in made["mistakes"]
    ]
    return made | {"answers": answers, "mistakes": mistakes}


def _settled_calls(made: list[Content], stored: list[Content], same: Same) -> list[Content]:
    known = {(call["driver"], call["case"]): call["arrays"] for call in stored}
    return [
        call
        | {
            "arrays": _settled_arrays(
                call["arrays"], known.get((call["driver"], call["case"])), same
            )
        }
        for call in made
    ]


def _settled_arrays(made: Content, stored: Content | None, same: Same) -> Content:
    if stored is None:
        return made
    old, new = arrays_of(stored), arrays_of(made)
    return {
        name: array | {"data": _settled_data(old[name], new[name], stored[name], array, same)}
        if name in old and (old[name].dtype, old[name].shape) == (new[name].dtype, new[name].shape)
        else array
        for name, array in made.items()
    }


def _settled_data(
    old: torch.Tensor, new: torch.Tensor, stored: Content, made: Content, same: Same
) -> list[float]:
    """The numbers of one array, each as it is stored unless it has changed."""
    if same(old, new):
        kept: list[float] = stored["data"]
        return kept
    numbers = zip(old.flatten(), new.flatten(), stored["data"], made["data"], strict=True)
    return [was if same(a, b) else now for a, b, was, now in numbers]


def _calls(calls: Mapping[Key, Arrays]) -> list[Content]:
    return [
        {"driver": driver, "case": label, "arrays": _numbers(arrays)}
        for (driver, label), arrays in calls.items()
    ]


def _numbers(arrays: Arrays) -> Content:
    return {
        name: {
            "dtype": str(value.dtype).removeprefix("torch."),
            "shape": list(value.shape),
            "data": [round(x, DIGITS.get(value.dtype)) for x in value.flatten().tolist()],
        }
        for name, value in arrays.items()
    }


def main() -> None:
    """Write the files of all chapters."""
    FOLDER.mkdir(exist_ok=True)
    for chapter in CHAPTERS:
        path = FOLDER / f"{chapter}.json"
        content = settled(chapter_content(chapter), read(chapter))
        path.write_text(written(content), encoding="utf-8")
        print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    main()
