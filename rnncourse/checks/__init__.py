"""Tries a filled stub, stage by stage, and says what is wrong.

Its functions load torch when they are first asked for: a program that only shows a report does
without.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .plan import Stage, plan_of
    from .public import CheckFailedError, check, examine, examine_within, stage_names, stopped

__all__ = [
    "CheckFailedError",
    "Stage",
    "check",
    "examine",
    "examine_within",
    "plan_of",
    "stage_names",
    "stopped",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "plan" if name in ("Stage", "plan_of") else "public"
    found: object = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = found
    return found
