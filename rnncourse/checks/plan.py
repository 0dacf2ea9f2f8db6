"""A plan: which cases an exercise is tried on, in which stages, and what counts as equal.

A public check and hidden grading share the plan of an exercise and differ in the numbers: stored
fixtures here, fresh ones from a secret seed there.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from .._axes import Axes, declaration
from .._exercise import Function, find
from .drivers import Driver, Outcome
from .relations import EQUAL, Relation
from .results import Arrays, leaves
from .sizes import RECURRENT, Draw, Sizes, random_sizes, uniform

MAX_WRITTEN = 80
"""Characters of an argument in a sentence."""
Aspect = Literal["shapes", "values", "gradients", "device", "unchanged"]


@dataclass(frozen=True)
class Fixture:
    """The inputs of a call, and what the gradients of its results are multiplied by.

    Attributes:
        inputs: by name.
        cotangents: one for each result, by its name; none where no gradients are asked for.
    """

    inputs: Arrays
    cotangents: Arrays = field(default_factory=dict)

    def __getitem__(self, name: str) -> Tensor:
        """One of the inputs."""
        return self.inputs[name]

    def replaced(self, **inputs: Tensor) -> Fixture:
        """The same cotangents, and other inputs for those named."""
        return replace(self, inputs=self.inputs | inputs)


class Key(NamedTuple):
    """Which call of an exercise's function.

    Attributes:
        driver: the plan's driver that makes it: "" for the exercise's own.
        probed: whether probes take the place of the learner's other functions.
        label: which inputs it is made on.
    """

    driver: str
    probed: bool
    label: str


@dataclass(frozen=True)
class Case:
    """One call.

    Attributes:
        label: for people; no two cases of one driver have the same.
        inputs, cotangents: see `Fixture`.
        driver: see `Key`.
        probed: see `Key`.
        whole: whether it is one of the two fixtures by which mistakes are recognised.
    """

    label: str
    inputs: Arrays
    cotangents: Arrays = field(default_factory=dict)
    driver: str = ""
    probed: bool = False
    whole: bool = False

    @property
    def key(self) -> Key:
        """Which call it is."""
        return Key(self.driver, self.probed, self.label)

    @property
    def on_meta_device(self) -> bool:
        """Whether its inputs are on a device that only has shapes."""
        return any(value.is_meta for value in self.inputs.values())


@dataclass(frozen=True)
class Stage:
    """A question to put to some calls.

    Attributes:
        name: what the stage asks for, in a few words.
        aspect: which side of the results is looked at.
        cases: all must pass;
        instead: or all of these, where there are any: the same calls with a probe in the place of
            the learner's own cell, so that one mistake is not paid for twice.
        after: the stage without which this one has nothing to say.
        weight: its share of the exercise's points, among those of the other stages. A stage that
            only the learner's own process can attest is worth nothing.
    """

    name: str
    aspect: Aspect
    cases: tuple[Case, ...]
    instead: tuple[Case, ...] = ()
    after: str = ""
    weight: float = 0.0


@dataclass(frozen=True)
class Plan:
    """How one exercise is tried: all that a check and hidden grading know of it, but for numbers.

    Attributes:
        stub: the exercise. What its annotations say of axes and results holds here.
        stages: from fixtures to the stages. Two fixtures are tried whole; the others, of odd sizes,
            only for their values.
        inputs: the axes of an input, such as ("N", "4H"), or what draws it where it is not made of
            numbers between -1 and 1; needed where the stub says nothing.
        only_inputs: whether `inputs` are all there are: a driver makes the arguments of them.
        outputs: the axes of results that the stub does not name.
        words: what the numbers of a result stand for, where they stand for something.
        driver: how the function is called, where it takes more than to pass each input by its name.
        drivers: other ways to call it, by the names that cases have for them.
        probes: what takes the place of other exercises in calls with a probe.
        relation: what two right answers have in common.
        oracle: torch's own function with the same arguments and results. None where torch has
            none: then the solution says what is right.
        gradients: whether gradients belong to the exercise.
        sizes: those of the stored fixtures.
        drawn: draws sizes as odd for hidden ones.
        forbidden_calls: what torch has for the same purpose, as dotted names: an
            answer that uses it is not complete, and waits for a person when it is graded.
    """

    stub: Function
    stages: Callable[..., list[Stage]]
    inputs: Mapping[str, Axes | Draw] = field(default_factory=dict)
    only_inputs: bool = False
    outputs: Mapping[str, Axes] = field(default_factory=dict)
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    driver: Driver | None = None
    drivers: Mapping[str, Driver] = field(default_factory=dict)
    probes: Mapping[str, Function] = field(default_factory=dict)
    relation: Relation = EQUAL
    oracle: Function | None = None
    gradients: bool = True
    sizes: Sequence[Sizes] = RECURRENT
    drawn: Callable[[torch.Generator], list[Sizes]] = random_sizes
    forbidden_calls: tuple[str, ...] = ()

    @property
    def exercise(self) -> str:
        """The exercise's name."""
        name: str = self.stub.__name__
        return name

    @cached_property
    def arguments(self) -> Mapping[str, Axes | Draw]:
        """The axes of every input, or what draws it."""
        if self.only_inputs:
            return self.inputs
        declared = declaration(self.stub)
        known = {**declared.arguments, **self.inputs}
        named = [name for name in (*declared.types, *self.inputs) if name in known]
        return {name: known[name] for name in dict.fromkeys(named)}

    @cached_property
    def known_axes(self) -> Mapping[str, Axes]:
        """The axes of the inputs that are made of numbers between -1 and 1, and of those that the
        stub names."""
        declared = declaration(self.stub).arguments
        drawn = {k: axes for k, axes in self.arguments.items() if isinstance(axes, tuple)}
        return {**declared, **drawn}

    @cached_property
    def axes(self) -> Mapping[str, Axes]:
        """The axes of every result that has a name."""
        return {**declaration(self.stub).results, **self.outputs}

    @cached_property
    def own_driver(self) -> Driver:
        """What calls the function in cases that name no other driver."""
        return self.driver or Driver.of(self.stub)

    def driver_of(self, name: str) -> Driver:
        """The driver that a case names."""
        return self.drivers[name] if name else self.own_driver

    def call(self, function: Function, case: Case) -> Outcome:
        """What a function gives in a case."""
        driver = self.driver_of(case.driver)
        probes = self.probes if case.probed else {}
        return driver(function, case.inputs, case.cotangents, probes, self.known_axes)

    def given(self, case: Case) -> str:
        """The arguments of a case as one writes them, where some are no tensors: "length=7, ids
        (3, 4)"; else ""."""
        arguments = self.driver_of(case.driver).arguments(case.inputs)
        if all(isinstance(value, Tensor) and value.ndim for value in arguments.values()):
            return ""
        return ", ".join(f"{name}{_written(value)}" for name, value in arguments.items())

    def run(self, function: Function, cases: Mapping[Key, Case]) -> dict[Key, Outcome]:
        """What a function gives in several cases."""
        return {key: self.call(function, case) for key, case in cases.items()}

    def right(self, solution: Function, case: Case) -> Outcome:
        """What is right in a case: what torch says where it has the function, else a solution."""
        return self.call(solution if case.probed else self.oracle or solution, case)

    def stages_on(self, fixtures: Sequence[Fixture]) -> list[Stage]:
        """The stages on these fixtures, with calls with a probe where there are probes."""
        stages = self.stages(*fixtures)
        if not self.probes:
            return stages
        return [
            replace(stage, instead=tuple(replace(case, probed=True) for case in stage.cases))
            for stage in stages
        ]

    def fixture(self, sizes: Sizes, generator: torch.Generator) -> Fixture:
        """Inputs, and cotangents for the results, of the given sizes.

        Values are multiples of 1/64 below one: away from the flat ends of tanh, exact in every
        float dtype, and short when stored.
        """
        inputs = {
            k: draw(sizes, generator) if callable(draw) else uniform(*draw)(sizes, generator)
            for k, draw in self.arguments.items()
        }
        if not self.gradients:
            return Fixture(inputs)
        cotangents = {
            k: _not_nothing(uniform(*self.axes[k])(sizes, generator))
            for k in leaves(self.own_driver.structure)
        }
        for name in self.relation.tied:
            cotangents[name] = cotangents[self.relation.tied[0]]
        return Fixture(inputs, cotangents)

    def fixtures(self, sizes: Sequence[Sizes], generator: torch.Generator) -> list[Fixture]:
        """One fixture for each of several sizes."""
        return [self.fixture(each, generator) for each in sizes]


def _written(value: object) -> str:
    """An argument behind its name: its shape if it is a tensor, else its value, in part if it is
    long."""
    if isinstance(value, Tensor) and value.ndim:
        return f" {tuple(value.shape)}"
    text = str(value.item()) if isinstance(value, Tensor) else repr(value)
    return f"={text if len(text) <= MAX_WRITTEN else text[:MAX_WRITTEN] + '...'}"


def plan_of(exercise: str) -> Plan:
    """How an exercise is tried: the object of its name in its chapter's module of plans."""
    module = importlib.import_module(f"{__package__}.plans.{find(exercise).chapter}")
    plan: Plan = getattr(module, exercise)
    return plan


def cases_of(stages: Sequence[Stage]) -> dict[Key, Case]:
    """The calls that stages ask for, each once."""
    return {case.key: case for stage in stages for case in (*stage.cases, *stage.instead)}


def _not_nothing(cotangent: Tensor) -> Tensor:
    """A single number that is zero would hide every wrong gradient."""
    return cotangent if cotangent.ndim else cotangent.where(cotangent != 0, 0.5)


def only(fixture: Fixture, *names: str) -> Arrays:
    """The inputs with all but these set to zero, and no gradients asked for."""
    return {k: v if k in names else torch.zeros_like(v) for k, v in fixture.inputs.items()}


def in_float64(fixture: Fixture, factor: float) -> Arrays:
    """The inputs times a factor in float64, which no smaller dtype can hold, and no gradients."""
    return {
        k: v.double() * factor if v.is_floating_point() else v for k, v in fixture.inputs.items()
    }


def to_meta(fixture: Fixture) -> Arrays:
    """The inputs on a device that only has shapes. Numbers without axes stay: a driver passes them
    on as Python floats."""
    return {k: v.to("meta") if v.ndim else v for k, v in fixture.inputs.items()}
