"""What is asked of submissions, and what comes of it: what goes to a pool and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from ...checks.drivers import Outcome
from ...checks.plan import Case, Key, plan_of
from ..worker.messages import Form, case_frame
from ..worker.protocol import Frame, encode
from .limits import Limits

Ended = Literal["done", "timeout", "slept", "died"]


@dataclass(frozen=True, eq=False)
class Calls:
    """Calls of one exercise's function, as they are sent to a child."""

    exercise: str
    cases: Mapping[Key, Case]

    @cached_property
    def encoded(self) -> bytes:
        """The frames that ask for them."""
        calls = [case_frame(case) for case in self.cases.values()]
        first = Frame({"exercise": self.exercise, "calls": len(calls)})
        return b"".join(encode(frame) for frame in (first, *calls))

    @cached_property
    def forms(self) -> dict[Key, Form]:
        """What complete outcomes look like."""
        plan = plan_of(self.exercise)
        return {key: Form.of(plan, case) for key, case in self.cases.items()}

    @cached_property
    def probed(self) -> Calls:
        """Those with a probe in the place of the learner's own functions."""
        probed = {k: case for k, case in self.cases.items() if case.probed}
        return Calls(self.exercise, probed)

    @cached_property
    def unprobed(self) -> Calls:
        """The others."""
        others = {k: case for k, case in self.cases.items() if k not in self.probed.cases}
        return Calls(self.exercise, others)


Lot = tuple[Calls, dict[Key, Outcome]]
"""Calls that are sent in one go, and where their outcomes are put."""


@dataclass(frozen=True, eq=False)
class ClassCalls:
    """What every submission of a class is asked. It holds no answer.

    Attributes:
        cases: the calls to make on secret inputs, by exercise and key.
        forbidden_calls: what torch has for the same purpose, as dotted names, by exercise.
        public: the calls to make first, before a child has seen any secret input. So what comes of
            them can be told to learners in full.
    """

    cases: Mapping[str, Mapping[Key, Case]] = field(default_factory=dict)
    forbidden_calls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    public: Mapping[str, Mapping[Key, Case]] = field(default_factory=dict)

    @cached_property
    def hidden_calls(self) -> dict[str, Calls]:
        """The calls on secret inputs, by exercise."""
        return {name: Calls(name, cases) for name, cases in self.cases.items()}

    @cached_property
    def public_calls(self) -> dict[str, Calls]:
        """The calls on public inputs, by exercise."""
        return {name: Calls(name, cases) for name, cases in self.public.items()}


Own = Mapping[str, Mapping[Key, Case]]
"""The calls on inputs that only one hand-in is asked, by exercise and key."""
NO_CALLS: Own = {}

IsRight = Callable[[str, Mapping[Key, Outcome]], bool]
"""Tells whether an exercise's outcomes on the class's inputs are right in all, without a probe:
then nothing is learnt from one."""


def unknown(exercise: str, outcomes: Mapping[Key, Outcome]) -> bool:
    """What is right is not known here: an `IsRight` for where all is asked."""
    return False


@dataclass(frozen=True)
class Job:
    """What every submission of a class is asked, and what it may use.

    Attributes:
        is_right: after whose yes less is asked. It knows what is right, and stays on the machine
            where that is known.
    """

    class_calls: ClassCalls
    limits: Limits
    is_right: IsRight = unknown


@dataclass(frozen=True)
class CellRun:
    """How a cell went.

    Attributes:
        error: what went wrong, "" if nothing did.
        output: the beginning of what it printed and displayed.
        figures: PNG files.
    """

    index: int
    error: str
    output: str
    figures: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class ExerciseRun:
    """How the calls of an exercise went.

    Attributes:
        outcomes: of the calls that came to an end, on the inputs of the class,
        own: on the hand-in's own,
        public: and on public ones.
        ended: "done"; or it ran into its time limit, computing or asleep; or its process ended or
            had to be ended.
        note: what happened if it is not done.
        probed: whether then at least all calls with a probe came to an end, asked anew.
    """

    outcomes: dict[Key, Outcome]
    ended: Ended = "done"
    note: str = ""
    probed: bool = False
    own: dict[Key, Outcome] = field(default_factory=dict)
    public: dict[Key, Outcome] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """How a submission went.

    Attributes:
        cells: those that were reached, in order.
        notes: exercises that were filled in without @fill, with a sentence each.
        flags: reasons for a person to look, by exercise.
        layers: the layers of protection that were active, as one word.
        undefined: a name that an exercise uses and no cell has defined, by exercise: as the child
            says, before it is sent any input.
    """

    cells: tuple[CellRun, ...] = ()
    exercises: dict[str, ExerciseRun] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    layers: str = "not run"
    undefined: dict[str, str] = field(default_factory=dict)
