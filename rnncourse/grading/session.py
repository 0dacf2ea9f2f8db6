"""A learner's notebook in the sandbox: its cells run in order, then what they filled is called."""

from __future__ import annotations

import io
import linecache
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from types import TracebackType
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import torch
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.text import SList
from torch import Tensor
from traitlets import Type
from traitlets.config import Config

import rnncourse.checks

from ..checks.drivers import COTANGENT, DRIVERS, Arrays, Driver, Outcome, Problem
from ..exercise import FillError, exercises, fill, fill_forgotten, find
from .protocol import MAX_OUTPUT

_WARM_UP = (
    "1 + 1",
    "%matplotlib inline",
    "%time sum(range(3))",
    "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.title('a'); plt.show()",
    "raise ValueError('a')",
    "import torch; print(torch.ones(2, 2))",
)


class _Text(io.StringIO):
    """Keeps the beginning of what is written to it."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, MAX_OUTPUT + 1 - self.tell())])
        return len(text)


class _Publisher(DisplayPublisher):
    """Displays as text."""

    def publish(self, data: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        print(data.get("text/plain", ""))


class _Shell(InteractiveShell):
    """IPython without a screen, without tracebacks (they are slow), and without other programs."""

    display_pub_class = Type(_Publisher)

    def enable_gui(self, gui: str | None = None) -> None:
        pass

    def enable_matplotlib(self, gui: str | None = None) -> tuple[str | None, str]:
        return gui, matplotlib.get_backend()

    def showtraceback(self, *args: Any, **kwargs: Any) -> None:
        pass

    def showsyntaxerror(self, *args: Any, **kwargs: Any) -> None:
        pass

    def system(self, cmd: str) -> None:
        print(f"!{cmd} is not run while grading.")

    def getoutput(self, cmd: str, *args: Any, **kwargs: Any) -> SList:
        self.system(cmd)
        return SList()


class Session:
    """One notebook's cells and the exercises that they fill."""

    def __init__(self) -> None:
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        self._shell: InteractiveShell = _Shell.instance(config=config)
        rnncourse.check = rnncourse.checks.check = _check
        plt.show = _forget_figures

    def warm_up(self) -> None:
        """Load what is imported late, so that no child has to, or could not any more."""
        for source in _WARM_UP:
            self.run_cell(source)
        ones = torch.ones(2, 2)
        Driver("y")(_any_function, {"x": ones, COTANGENT + "y": ones})
        exercises()
        self._shell.reset(new_session=False)

    def run_cell(self, source: str) -> tuple[str, str]:
        """Run a cell.

        Returns:
            what went wrong ("" if nothing did) and the beginning of what it printed.
        """
        text = _Text()
        error: BaseException | None
        try:
            with redirect_stdout(text), redirect_stderr(text):
                result = self._shell.run_cell(source, store_history=False)
            error = result.error_before_exec or result.error_in_exec
        except BaseException as unexpected:  # such as a source that is not Unicode
            error = unexpected
        return self._described(error), text.getvalue()

    def fill_forgotten(self) -> dict[str, str]:
        """Fill what was written without @fill; a sentence for each."""
        return fill_forgotten(self._shell.user_ns)

    def call(self, exercise: str, driver: str, arrays: Arrays) -> Outcome:
        """Call what fills an exercise, through a driver."""
        try:
            return DRIVERS[driver](find(exercise).stub, arrays)
        except BaseException as error:  # SystemExit, or an error that cannot be put into words
            return Outcome(problem=Problem("raised", f"it raised {type(error).__name__}"))

    def _described(self, error: BaseException | None) -> str:
        if error is None:
            return ""
        try:
            message = f"{type(error).__name__}: {error}"
        except Exception:
            message = type(error).__name__
        return message + self._line_of(error.__traceback__)

    def _line_of(self, trace: TracebackType | None) -> str:
        """The innermost line of the learner's own that an error came from."""
        found = ""
        while trace:
            if trace.tb_frame.f_globals is self._shell.user_ns:
                code = trace.tb_frame.f_code
                line = linecache.getline(code.co_filename, trace.tb_lineno).strip()
                found = f", in the line:  {line}" if line else found
            trace = trace.tb_next
        return found


def _check(function: Callable[..., Any]) -> None:
    """What `check` is in the sandbox: it fills in a plain function as ever, and tries nothing."""
    with suppress(FillError):
        fill(function)


def _any_function(x: Tensor) -> Tensor:
    """Uses what exercises use, so that it is loaded."""
    first, second = (x @ x.T).chunk(2, dim=1)
    return torch.stack([torch.sigmoid(first) * 2, torch.tanh(second)]).sum() + torch.cat([x, x])[:2]


def _forget_figures(*args: object, **kwargs: object) -> None:
    """What plt.show is in the sandbox: nobody sees figures there."""
    plt.close("all")
