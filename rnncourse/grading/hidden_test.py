"""What the instructor's side knows of an exercise and a learner's does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from .._errors import CourseError
from .._exercise import Function
from ..checks.drivers import Outcome
from ..checks.fingerprints import Stored
from ..checks.judge import judge
from ..checks.naming import KnownMistake, Signature, fingerprint
from ..checks.plan import Case, Fixture, Key, Plan, Stage, cases_of
from ..checks.report import Report
from .draws import generator


class HiddenTestError(CourseError):
    """A plan cannot be graded by. The message says which and why."""


@dataclass(frozen=True)
class ExpectedStages:
    """Stages on some inputs, and what is right there."""

    stages: tuple[Stage, ...]
    expected: Mapping[Key, Outcome]

    @property
    def cases(self) -> dict[Key, Case]:
        """The calls that the stages ask for."""
        return cases_of(self.stages)


@dataclass(frozen=True)
class HiddenTest:
    """An exercise with the secret inputs of a class, and what is right on them.

    Attributes:
        solution: says what is right where torch has no such function.
        hidden: what every learner of the class is asked, and marked by.
        public: the fixtures that the public check has, too: by these mistakes get their names and
            learners are told numbers. They are worth nothing.
        mistakes: known ones, and what they give on the public fixtures.
        seed: the class's.
        fixtures: the inputs behind `hidden`.
    """

    plan: Plan
    solution: Function
    hidden: ExpectedStages
    public: ExpectedStages = ExpectedStages((), {})
    mistakes: tuple[KnownMistake, ...] = ()
    seed: int = field(default=0, repr=False)
    fixtures: Sequence[Fixture] = ()

    @cached_property
    def shares(self) -> dict[str, float]:
        """What part of the points each stage is worth; they add up to 1."""
        total = sum(stage.weight for stage in self.hidden.stages)
        return {stage.name: stage.weight / total for stage in self.hidden.stages if stage.weight}

    def own_stages(self, digest: str) -> tuple[Stage, ...]:
        """The hidden stages that are worth points, with one case each, on inputs that no other
        hand-in gets. Stages that ask for more of the same once all values are right are left out.

        Args:
            digest: of the code that was handed in. The same gets the same inputs.
        """
        drawing = generator(self.seed, self.plan.exercise, digest)
        first = self.plan.fixture(self.plan.drawn(drawing)[0], drawing)
        stages = self.plan.stages_on([first, *self.fixtures[1:]])
        whole = _whole(stages)
        behind = {s.name for s in stages if s.name not in whole and _is_behind(s, whole, stages)}
        return tuple(
            replace(stage, cases=stage.cases[:1], instead=stage.instead[:1], after="")
            for stage in stages
            if stage.weight and stage.name not in behind
        )

    def is_right(self, outcomes: Mapping[Key, Outcome]) -> bool:
        """Whether all calls on the class's inputs that use no probe gave what they should."""
        try:
            return self._pass(_alone(self.hidden.stages), self.hidden.expected, outcomes)
        except Exception:  # results nobody has thought of, on which more is asked and told
            return False

    def is_right_elsewhere(
        self, report: Report, own: Iterable[Stage], outcomes: Mapping[Key, Outcome]
    ) -> bool:
        """Whether all that a hand-in did right on the class's inputs is right on its own as well.

        Args:
            report: on the class's inputs.
            own, outcomes: of the hand-in's own inputs.
        """
        passed = {stage.name for stage in report.stages if stage.status == "passed"}
        whole = _whole(self.hidden.stages)
        # Who is right on whole inputs is right in each part: the reference need not run on these.
        asked = passed & whole if _values(self.hidden.stages, whole) <= passed else passed
        stages = [stage for stage in own if stage.name in asked]
        # The calls with a probe only where it is not right without: a call of the reference costs
        # as much as one of the learner's.
        return self._is_right_on(_alone(stages), outcomes) or (
            any(stage.instead for stage in stages) and self._is_right_on(stages, outcomes)
        )

    def _is_right_on(self, stages: Sequence[Stage], outcomes: Mapping[Key, Outcome]) -> bool:
        expected = _right_on(self.plan, self.solution, cases_of(stages))
        return self._pass(stages, expected, outcomes)

    def _pass(
        self,
        stages: Sequence[Stage],
        expected: Mapping[Key, Outcome],
        outcomes: Mapping[Key, Outcome],
    ) -> bool:
        report = judge(self.plan, stages, expected, outcomes, ())
        return all(stage.status == "passed" for stage in report.stages)


def build_hidden_test(
    plan: Plan, solution: Function, seed: int, stored: Stored | None = None
) -> HiddenTest:
    """Draw secret inputs for an exercise, and compute what is right on them.

    Sizes are drawn too. In the first two fixtures all differ, so that no axis can pass for another.

    Args:
        stored: what the public check has of the exercise.

    Raises:
        HiddenTestError: the plan's stages are worth nothing, or ask for no values.
    """
    drawing = generator(seed, plan.exercise)
    fixtures = plan.fixtures(plan.drawn(drawing), drawing)
    stages = tuple(stage for stage in plan.stages_on(fixtures) if stage.aspect != "device")
    if attested := [s.name for s in stages if s.aspect == "unchanged" and s.weight]:
        raise HiddenTestError(
            f"a stage of {plan.exercise} is worth points that only a learner's own process could "
            f"attest: {attested[0]}."
        )
    if not sum(stage.weight for stage in stages):
        raise HiddenTestError(f"no stage of {plan.exercise} is worth any points.")
    if not _values(stages, _whole(stages)):  # a hand-in would have no inputs of its own
        raise HiddenTestError(f"no stage of {plan.exercise} asks for values on a whole fixture.")
    hidden = ExpectedStages(stages, _right_on(plan, solution, cases_of(stages)))
    hidden_test = HiddenTest(plan, solution, hidden, seed=seed, fixtures=fixtures)
    if stored is None:
        return hidden_test
    shown = tuple(_on_first_fixture(plan.stages_on(stored.fixtures)))
    public = ExpectedStages(shown, _right_on(plan, solution, cases_of(shown)))
    mistakes = tuple(m._replace(whole=_within(m.whole, public.cases)) for m in stored.mistakes)
    return replace(hidden_test, public=public, mistakes=mistakes)


def _right_on(plan: Plan, solution: Function, cases: Mapping[Key, Case]) -> dict[Key, Outcome]:
    """What is right in each case."""
    return {key: plan.right(solution, case) for key, case in cases.items()}


def signature(
    plan: Plan, outcomes: Mapping[Key, Outcome], expected: Mapping[Key, Outcome]
) -> Signature:
    """The numbers that tell a mistake, by call; only drivers in whose every call it shows."""
    prints = {k: fingerprint(plan, o, expected[k]) for k, o in outcomes.items()}
    blind = {(k.driver, k.probed) for k, numbers in prints.items() if not numbers}
    return {k: numbers for k, numbers in prints.items() if (k.driver, k.probed) not in blind}


def _alone(stages: Iterable[Stage]) -> list[Stage]:
    """The stages without the calls that use a probe."""
    return [replace(stage, instead=()) for stage in stages]


def _on_first_fixture(stages: Iterable[Stage]) -> list[Stage]:
    """The stages on the first whole fixture alone, which tells mistakes apart as well as both."""
    found: list[Stage] = []
    for stage in stages:
        cases = tuple(case for case in stage.cases if case.whole)[:1]
        if cases and stage.aspect in ("shapes", "values", "gradients"):
            after = stage.after if stage.after in {s.name for s in found} else ""
            probed = tuple(case for case in stage.instead if case.whole)[:1]
            found.append(replace(stage, cases=cases, instead=probed, after=after))
    return found


def _within(numbers: Signature, cases: Mapping[Key, Case]) -> Signature:
    """A mistake's numbers in these calls."""
    return {k: arrays for k, arrays in numbers.items() if k in cases}


def _whole(stages: Iterable[Stage]) -> set[str]:
    """The stages that look at the exercise's own driver on a whole fixture."""
    return {s.name for s in stages if s.cases[0].whole and not s.cases[0].driver}


def _values(stages: Iterable[Stage], among: set[str]) -> set[str]:
    return {stage.name for stage in stages if stage.name in among and stage.aspect == "values"}


def _is_behind(stage: Stage, whole: set[str], stages: Sequence[Stage]) -> bool:
    """Whether a stage is reached only when the values on whole fixtures are right."""
    after = {s.name: s.after for s in stages}
    values = _values(stages, whole)
    name = stage.name
    while name:
        if name in values:
            return True
        name = after[name]
    return False
