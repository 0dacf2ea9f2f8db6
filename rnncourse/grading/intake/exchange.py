"""`nbgrader collect` from nbgrader's exchange: what it takes names the missing kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect

from ..kernel import name_missing_kernel
from ..submissions.budget import SpentError
from ..submissions.finding import is_notebook
from ..submissions.reader import usual_budget

_do_copy = ExchangeCollect.do_copy


def install() -> None:
    """Put it behind `nbgrader collect`, in this process. An exchange of another kind, which a
    configuration names, is left alone."""
    ExchangeCollect.do_copy = _copied


def _copied(self: Any, src: str, dest: str, log: Any = None) -> None:
    """In the place of what copies one learner's folder."""
    _do_copy(self, src, dest, log)
    budget = usual_budget()
    for path in sorted(Path(dest).rglob("*")):
        if is_notebook(path.name) and path.is_file() and not path.is_symlink():
            try:
                budget.spend(path.stat().st_size, files=1)
                name_missing_kernel(path, budget)
            except (SpentError, OSError) as reason:
                self.log.warning("%s keeps its kernel: %s", path, reason)
