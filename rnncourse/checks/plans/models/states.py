"""How `flatten_states` is tried: all states of a sequence in one row."""

from __future__ import annotations

from .... import models as stubs
from ...plan import Fixture, Plan, Stage
from ...stages import BEYOND_ONE, endings, gradients, shapes, stage, whole


def _stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values, output = "whole sequences", first["output"]
    return [
        shapes(first, second),
        stage("a sequence of one step", ("one step", {"output": output[:1]}), weight=0.1),
        stage("a batch of one", ("a batch of one", {"output": output[:, :1]}), weight=0.1),
        stage(values, *whole(first, second), weight=0.4),
        gradients(first, second, values, weight=0.2),
        *endings(fixtures, values, BEYOND_ONE),
    ]


flatten_states = Plan(stubs.flatten_states, _stages)
