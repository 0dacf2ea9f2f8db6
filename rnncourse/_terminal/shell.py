"""The IPython in which a notebook's cells run when no Jupyter is there."""

from __future__ import annotations

import linecache
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import matplotlib
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.text import SList
from traitlets.config import Config

from .._limits import TimeLimit

MAX_MESSAGE = 300
EXIT = "it called exit, which ends the whole program"


@dataclass(frozen=True)
class CellResult:
    """How a cell went.

    Attributes:
        error: what went wrong, such as "NameError: name 'x' is not defined"; "" if nothing did.
        stopped: what became of it, such as "did not end within 60 seconds", if it was stopped.
        refused: the commands for other programs that it had, such as "pip install x".
    """

    error: str = ""
    stopped: str = ""
    refused: tuple[str, ...] = ()


class Shell(InteractiveShell):
    """IPython without a screen, a history and other programs: what only works in Jupyter is no
    error here."""

    def __init__(self, **options: Any) -> None:
        config = Config()
        config.HistoryManager.enabled = False
        super().__init__(config=config, **options)  # type: ignore[no-untyped-call]
        self._refused: list[str] = []
        with suppress(ImportError):  # %config InlineBackend.figure_format = "svg"
            from matplotlib_inline.config import InlineBackend

            options_of_figures: Any = InlineBackend(parent=self)
            self.configurables.append(options_of_figures)

    def run(self, source: str, seconds: float) -> CellResult:
        """Run a cell for so many seconds of computing time at most."""
        self._refused = []
        error: BaseException | None
        shell: Any = super()
        limit = TimeLimit(seconds)
        try:
            with limit:
                result = shell.run_cell(source, store_history=False)
            error = result.error_before_exec or result.error_in_exec
        except BaseException as unexpected:  # such as the interruption, outside the cell's own code
            error = unexpected
        said = self._described(error) if error and not limit.exceeded else ""
        return CellResult(said, limit.exceeded, tuple(self._refused))

    def enable_gui(self, gui: str | None = None) -> None:
        """Leave windows alone: there is no screen."""

    def enable_matplotlib(self, gui: str | None = None) -> tuple[str | None, str]:
        """Keep the backend that there is."""
        return gui, matplotlib.get_backend()

    def ask_exit(self) -> None:
        """End the notebook, as exit() asks."""
        raise SystemExit

    def showtraceback(self, *args: Any, **kwargs: Any) -> None:
        """Print no traceback: the error is told elsewhere."""

    def showsyntaxerror(self, *args: Any, **kwargs: Any) -> None:
        """Print no traceback: the error is told elsewhere."""

    def system(self, cmd: str) -> None:
        """Refuse a shell line, and remember it."""
        self._refused.append(cmd)

    def getoutput(self, cmd: str, *args: Any, **kwargs: Any) -> SList:
        """Refuse a shell line, and remember it."""
        self.system(cmd)
        return SList()

    def _described(self, error: BaseException) -> str:
        kind = type(error).__name__
        if isinstance(error, SystemExit):
            return f"{kind}: {EXIT}"
        if isinstance(error, EOFError):
            return f"{kind}: nobody is there to answer input()" + self._line_of(error)
        try:
            message = str(error).strip().split("\n")[0][:MAX_MESSAGE]
        except Exception:
            message = ""
        return (f"{kind}: {message}" if message else kind) + self._line_of(error)

    def _line_of(self, error: BaseException) -> str:
        """The innermost line of the notebook's own that an error came from."""
        found = ""
        trace: TracebackType | None = error.__traceback__
        while trace:
            if trace.tb_frame.f_globals is self.user_ns:
                name = trace.tb_frame.f_code.co_filename
                line = linecache.getline(name, trace.tb_lineno).strip()
                found = f", in the line:  {line}" if line else found
            trace = trace.tb_next
        return found
