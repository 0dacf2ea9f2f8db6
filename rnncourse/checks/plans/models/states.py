"""How `flatten_states` is tried: all states of a sequence in one row."""

from __future__ import annotations

from ...drivers import Driver
from ...plan import Plan, Stage
from ...results import Arrays
from ...stages import BEYOND_ONE, endings, fixture_calls, shapes, stage


def _flatten_stages(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values, calls = "flatten_states", "whole sequences", fixture_calls(first, second)
    output = first["output"]
    return [
        shapes(name, first, second),
        stage("a sequence of one step", name, ("one step", {"output": output[:1]})),
        stage("a batch of one", name, ("a batch of one", {"output": output[:, :1]})),
        stage(values, name, *calls),
        stage("gradients", name, *calls, aspect="gradients", after=values),
        *endings(name, fixtures, values, BEYOND_ONE),
    ]


DRIVERS = {
    "flatten_states": Driver("rows"),
}

PLANS = {
    "flatten_states": Plan(
        "flatten_states",
        {"output": ("T", "N", "H")},
        {"rows": ("N", "T·H")},
        _flatten_stages,
    )
}
