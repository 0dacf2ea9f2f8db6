"""Makes rnncourse/checks/fingerprints/*.json from the solutions and the known mistakes.

    python -m tools.fingerprints

Processors and builds of torch differ in the last digits, so a stored number is rewritten only when
it has really changed: beyond a share of the tolerance with which it is compared later. Everything
else (fixtures, ids, sentences, names, dtypes, shapes, whole numbers) is exact. A test fails while
the files are not what this makes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import rnncourse
from rnncourse._exercise import CHAPTERS, Function, exercises
from rnncourse.checks.compare import close
from rnncourse.checks.drivers import Outcome
from rnncourse.checks.fingerprints import arrays_of
from rnncourse.checks.naming import fingerprint, is_near, naming_tolerance
from rnncourse.checks.plan import Case, Fixture, Key, Plan, cases_of, plan_of
from rnncourse.checks.results import Arrays
from rnncourse.grading.hidden_test import signature
from tools.answers import known, solutions

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
    names = [e.name for e in exercises().values() if e.chapter == chapter]
    return {
        name: _exercise_content(chapter, name, solutions(chapter).function(name)) for name in names
    }


def settled(made: Content, stored: Content) -> Content:
    """What was made, with the stored numbers wherever these are the same up to rounding."""
    return {
        name: _settled_exercise(plan_of(name), entry, stored[name]) if name in stored else entry
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


def _exercise_content(chapter: str, name: str, solution: Function) -> Content:
    plan = plan_of(name)
    fixtures = plan.fixtures(plan.sizes, torch.Generator().manual_seed(SEED))
    cases = cases_of([s for s in plan.stages_on(fixtures) if s.aspect != "device"])
    expected = {key: plan.right(solution, case) for key, case in cases.items()}
    stored = {k: o for k, o in expected.items() if k.probed or not plan.oracle}
    whole = {k: case for k, case in cases.items() if case.whole}
    parts = {k: case for k, case in cases.items() if k in _parts_of_the_formula(plan, fixtures)}
    mistakes = [
        {
            "id": entry.mistake.id,
            "sentence": entry.mistake.sentence,
            "calls": _signature(plan, entry.function, whole, expected),
            "parts": _wrong(plan, entry.function, parts, expected),
        }
        for entry in known(chapter, name)
    ]
    return {
        "fixtures": [
            {"inputs": _numbers(f.inputs), "cotangents": _numbers(f.cotangents)} for f in fixtures
        ],
        "answers": [_call(key, o.arrays, o.gradients) for key, o in stored.items()],
        "mistakes": mistakes,
    }


def _parts_of_the_formula(plan: Plan, fixtures: Sequence[Fixture]) -> set[Key]:
    """The calls on parts of a fixture that come before the values of whole ones."""
    stages = [
        s for s in plan.stages_on(fixtures) if s.aspect == "values" and s.cases[0].key.driver == ""
    ]
    behind = {s.name for s in stages if s.cases[0].whole}
    return {
        case.key
        for s in stages
        if s.after not in behind and s.name not in behind
        for case in s.cases
    }


def _signature(
    plan: Plan, function: Function, cases: Mapping[Key, Case], expected: Mapping[Key, Outcome]
) -> list[Content]:
    """What a mistake gives in calls on whole fixtures."""
    found = signature(plan, plan.run(function, cases), expected)
    return [_call(key, numbers.results, numbers.gradients) for key, numbers in found.items()]


def _wrong(
    plan: Plan, function: Function, cases: Mapping[Key, Case], expected: Mapping[Key, Outcome]
) -> list[Content]:
    """The results of a mistake in calls on parts of a fixture, where they are wrong."""
    found = []
    for key, outcome in plan.run(function, cases).items():
        results = fingerprint(plan, replace(outcome, gradients={}), expected[key]).results
        found += [_call(key, results, {})] if results else []
    return found


def _call(key: Key, results: Arrays, gradients: Arrays) -> Content:
    return {
        "driver": key.driver,
        "probed": key.probed,
        "case": key.label,
        "results": _numbers(results),
        "gradients": _numbers(gradients),
    }


def _settled_exercise(plan: Plan, made: Content, stored: Content) -> Content:
    """An exercise's content: each part is compared as the check will compare it."""
    naming = naming_tolerance(plan)
    answers = _settled_calls(
        made["answers"],
        stored["answers"],
        lambda old, new: close(old, new, plan.relation.atol * SHARE, SHARE),
    )
    before = {mistake["id"]: mistake for mistake in stored["mistakes"]}
    mistakes = [
        mistake
        | {
            part: _settled_calls(
                mistake[part],
                before.get(mistake["id"], {}).get(part, []),
                lambda old, new: is_near(old, new, naming * SHARE),
            )
            for part in ("calls", "parts")
        }
        for mistake in made["mistakes"]
    ]
    return made | {"answers": answers, "mistakes": mistakes}


def _settled_calls(made: list[Content], stored: list[Content], same: Same) -> list[Content]:
    known = {_identity(call): call for call in stored}
    return [
        call
        | {
            part: _settled_arrays(call[part], known.get(_identity(call), {}).get(part), same)
            for part in ("results", "gradients")
        }
        for call in made
    ]


def _identity(call: Content) -> tuple[str, bool, str]:
    return call["driver"], call["probed"], call["case"]


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


def _numbers(arrays: Arrays) -> Content:
    return {
        name: {
            "dtype": str(value.dtype).removeprefix("torch."),
            "shape": list(value.shape),
            "data": [round(x, DIGITS.get(value.dtype)) for x in value.flatten().tolist()],
        }
        for name, value in arrays.items()
    }


def write(chapter: str) -> Path:
    """Write a chapter's file anew."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{chapter}.json"
    content = settled(chapter_content(chapter), read(chapter))
    path.write_text(written(content), encoding="utf-8")
    return path


def main() -> None:
    """Write the files of all chapters."""
    for chapter in CHAPTERS:
        path = write(chapter)
        print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    main()
