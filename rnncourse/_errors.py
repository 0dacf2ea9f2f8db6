"""What goes wrong for a reason that the person at the keyboard can mend."""

from __future__ import annotations


class CourseError(Exception):
    """One clear sentence for whoever gave the input. The command line prints it and stops."""


class BriefError(Exception):
    """An error whose message says all: a notebook shows it without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead."""
        return [f"{type(self).__name__}: {self}"]


class CancelledError(Exception):
    """Somebody pressed Ctrl-C. The message says what was running."""
