"""What handing in late costs: nbgrader's own configured plugin decides."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from nbgrader.preprocessors import AssignLatePenalties
from traitlets.config import Config

from ..._errors import CourseError
from ..settings import importing_from


class LatePenalties:
    """The plugin that a course's configuration names as AssignLatePenalties.plugin_class.

    Raises:
        CourseError: there is no such plugin, or it cannot be started.
    """

    def __init__(self, config: Config, folder: Path) -> None:
        try:
            with importing_from(folder):
                nbgraders = AssignLatePenalties(config=config)
                nbgraders.init_plugin()
        except Exception as error:
            raise CourseError(
                f"the plugin for late penalties (AssignLatePenalties.plugin_class) cannot be "
                f"used: {_reason(error)}"
            ) from error
        self._plugin: Any = nbgraders.plugin_inst

    def penalty(self, student: str, score: float, seconds: float) -> float | None:
        """The points to take off a notebook, between 0 and its score; None for none.

        Args:
            seconds: how late it was handed in.

        Raises:
            CourseError: the plugin failed.
        """
        if seconds <= 0:
            return None
        try:
            penalty = self._plugin.late_submission_penalty(student, score, seconds)
            if penalty is None:
                return None
            if math.isnan(penalty):
                raise ValueError("it gave no number")
            return float(min(max(penalty, 0), score))
        except Exception as error:
            raise CourseError(
                f"{student} has marks, but the plugin {type(self._plugin).__name__} could not say "
                f"what being late costs: {_reason(error)}"
            ) from error


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).rstrip('.')}."
