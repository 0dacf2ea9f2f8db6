"""The grader: a class of notebooks in, marks in nbgrader's gradebook and feedback pages out.

Needs the extra `rnncourse[grading]`. Nothing that a learner runs imports it. A script has the
same as the commands:

    from rnncourse.grading import Course, collect, grade
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api import collect, grade
    from .course import Course

__all__ = ["Course", "collect", "grade"]

_HOMES = {"Course": ".course", "collect": ".api", "grade": ".api"}


def __getattr__(name: str) -> object:
    """Load it when it is first asked for: most rooms need no gradebook."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
