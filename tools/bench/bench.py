"""The parts of a measurement, and the report on them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnncourse.grading.checkout import Checkout
from rnncourse.grading.sandbox.launch import obstacle, sandboxed, unsafe
from tools.bench.courses import Command, EngineCourse, PlainCourse, marks
from tools.bench.learners import Learner, honest_class
from tools.bench.measure import Cost, measure
from tools.bench.parts import parts_of
from tools.bench.table import Row, growth, machine, machine_text, ratio, table, together
from tools.demonstration.learners import ASSIGNMENT, ROOT

STEPS = ("autograde", "generate_feedback")
FEW = 10
"""Fewer submissions than these do not tell start-up apart from the rest."""
MEASURED_IN_PARTS = 60
"""Submissions whose parts are measured one by one."""


@dataclass(frozen=True)
class Sizes:
    """How many submissions each part gets; 0 leaves one of the last three out.

    Attributes:
        plain: for plain nbgrader.
        engine: for this grader.
        whole: for plain nbgrader with the cells that only demonstrate something.
        single: for this grader with one worker.
        scale: for a long run of this grader.
    """

    plain: int
    engine: int
    whole: int = 0
    single: int = 0
    scale: int = 0


class Bench:
    """One measurement, in an empty folder.

    Args:
        workers: of this grader, where it has more than one.
        seed: which class, and which secret inputs.
    """

    def __init__(self, folder: Path, workers: int, seed: int) -> None:
        self._folder, self._workers, self._seed = folder.resolve(), workers, seed
        self._obstacle = obstacle()
        self._rows: list[Row] = []
        self._ones: dict[int, Cost] = {}

    def run(self, sizes: Sizes) -> str:
        """Measure, write bench.json, and give the report as text.

        Raises:
            FailedError: something that was measured ended with an error.
        """
        facts, learners = machine(), self._learners(max(sizes.plain, sizes.engine))
        whole = None
        if sizes.whole:  # first, so that what is measured most finds its files in memory
            whole, _ = self._measure_plain("whole", self._learners(sizes.whole), whole=True)
        plain, theirs = self._measure_plain("plain", learners[: sizes.plain])
        engine, ours = self._measure_engine("engine", learners[: sizes.engine], self._workers)
        found = [ratio(row, engine) for row in (plain, whole) if row]
        if sizes.single:
            single, _ = self._measure_engine("single", self._learners(sizes.single), 1)
            found.append(ratio(plain, single))
        launch = sandboxed() if self._obstacle is None else unsafe()
        course = EngineCourse(self._folder / "parts", self._seed)
        found.append(parts_of(course, self._learners(min(sizes.engine, MEASURED_IN_PARTS)), launch))
        found += ["", *self._compare(theirs, ours, min(sizes.plain, sizes.engine))]
        if sizes.scale:
            long, _ = self._measure_engine("scale", self._learners(sizes.scale), self._workers)
            found += ["", growth(long)]
        return self._report(facts, Counter(learner.kind for learner in learners), found)

    def _report(self, facts: dict[str, Any], kinds: Counter[str], found: list[str]) -> str:
        result = {
            "machine": facts,
            "sandbox": self._obstacle is None,
            "seed": self._seed,
            "class": kinds,
            "rows": [row.json() for row in self._rows],
            "found": "\n".join(found).splitlines(),
        }
        (self._folder / "bench.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
        lines = [machine_text(facts)]
        lines += [f"Learners: {', '.join(f'{kinds[kind]} {kind}' for kind in kinds)}."]
        lines += [f"No sandbox: {self._obstacle}"] if self._obstacle else []
        lines += ["", table(self._rows), "", *found]
        return "\n".join(lines) + "\n"

    def _learners(self, size: int) -> list[Learner]:
        return list(honest_class(size, self._seed))

    def _measure_plain(
        self, name: str, learners: list[Learner], whole: bool = False
    ) -> tuple[Row, PlainCourse]:
        """Both steps of nbgrader on a class, and on a class of one."""
        course = PlainCourse(self._folder / name)
        hidden_tests = Checkout(ROOT).hidden_tests(ASSIGNMENT, self._seed)
        course.write_source(hidden_tests, whole)
        self._run(f"{name}-release", course.command("generate_assignment"))
        one = course.copy_for(learners[:1], f"{name}-one") if len(learners) >= FEW else None
        course.hand_in(learners)
        rows, part = [], ", whole notebook" if whole else ""
        for step in STEPS:
            first = self._run(f"{name}-one-{step}", one.command(step)) if one else None
            cost = self._run(f"{name}-{step}", course.command(step))
            rows.append(Row(f"nbgrader {step}{part}", len(learners), cost, first))
        rows.append(together(f"plain nbgrader{part}", rows))
        self._rows += rows
        return rows[-1], course

    def _measure_engine(
        self, name: str, learners: list[Learner], workers: int
    ) -> tuple[Row, EngineCourse]:
        if workers not in self._ones and len(learners) >= FEW:
            alone = EngineCourse(self._folder / f"{name}-one", self._seed)
            alone.hand_in(learners[:1])
            command = alone.command(workers, self._obstacle is None)
            self._ones[workers] = self._run(f"{name}-one", command)
        course = EngineCourse(self._folder / name, self._seed)
        course.hand_in(learners)
        cost = self._run(name, course.command(workers, self._obstacle is None), course)
        title = f"rnncourse grade, {workers} worker{'s' if workers > 1 else ''}"
        one = self._ones.get(workers) if len(learners) >= FEW else None
        row = Row(title, len(learners), cost, one)
        self._rows.append(row)
        return row, course

    def _run(self, name: str, command: Command, course: EngineCourse | None = None) -> Cost:
        print(f"{name} ...", file=sys.stderr, flush=True)
        log = self._folder / f"{name}.log"
        done = course.done if course else lambda: 0
        return measure(command.arguments, command.folder, command.environment, log, done)

    def _compare(self, theirs: PlainCourse, ours: EngineCourse, learners: int) -> Iterator[str]:
        """Sentences on the marks that the first learners have in both gradebooks."""
        names = {learner.name for learner in self._learners(learners)}
        here, there = ({k: v for k, v in marks(c).items() if k[0] in names} for c in (ours, theirs))
        different = sorted(k for k in here.keys() | there.keys() if here.get(k) != there.get(k))
        agree = len(names) - len({student for student, _ in different})
        yield f"Marks: {agree} of {len(names)} learners have the same in both gradebooks."
        for student, exercise in different:
            marked = [m.get((student, exercise)) for m in (here, there)]
            reason = theirs.reason(student, exercise)
            yield f"{student} {exercise}: {marked[0]} here, {marked[1]} in nbgrader. {reason}"
