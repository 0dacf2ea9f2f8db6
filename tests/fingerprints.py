"""Makes rnncourse/checks/fingerprints/*.json from the hidden references and the known mistakes.

    python -m tests.fingerprints

A test fails while the files are not what this makes.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import rnncourse
from rnncourse.checks import plan_of, run
from rnncourse.checks.judge import Key, key
from rnncourse.checks.results import Arrays
from rnncourse.exercise import CHAPTERS, exercises
from rnncourse.grading.spec import signature
from tests.mistakes import known

FOLDER = Path(rnncourse.__file__).parent / "checks" / "fingerprints"
DIGITS = {torch.float32: 6, torch.float64: 12}
"""Kept of a number; whole ones are kept as they are."""
SEED = 20


def chapter_content(chapter: str) -> dict[str, Any]:
    """What is stored for a chapter, ready for JSON."""
    specs = importlib.import_module(f"tests.hidden.{chapter}").SPECS
    names = [e.name for e in exercises().values() if e.chapter == chapter]
    return {name: _exercise_content(chapter, name, specs[name].reference) for name in names}


def written(content: dict[str, Any]) -> str:
    """JSON with a line for each fixture, answer and mistake, so that a difference shows where."""
    lines: list[str] = []
    for name, entry in content.items():
        lists = ",\n".join(
            f'"{part}": [\n' + ",\n".join(json.dumps(item) for item in items) + "\n]"
            for part, items in entry.items()
        )
        lines.append(f'"{name}": {{\n{lists}\n}}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _exercise_content(chapter: str, name: str, reference: Any) -> dict[str, Any]:
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


def _calls(calls: Mapping[Key, Arrays]) -> list[dict[str, Any]]:
    return [
        {"driver": driver, "case": label, "arrays": _numbers(arrays)}
        for (driver, label), arrays in calls.items()
    ]


def _numbers(arrays: Arrays) -> dict[str, Any]:
    return {
        name: {
            "dtype": str(value.dtype).removeprefix("torch."),
            "shape": list(value.shape),
            "data": [round(x, DIGITS.get(value.dtype)) for x in value.flatten().tolist()],
        }
        for name, value in arrays.items()
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for chapter in CHAPTERS:
        path = FOLDER / f"{chapter}.json"
        path.write_text(written(chapter_content(chapter)), encoding="utf-8")
        print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    main()
