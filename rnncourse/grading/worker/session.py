"""A learner's notebook in the sandbox: its cells run in order, then what they filled is called."""

from __future__ import annotations

import io
import linecache
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import torch
from IPython.core.compilerop import CachingCompiler
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.text import SList
from matplotlib.figure import Figure
from torch import Tensor
from traitlets import Type
from traitlets.config import Config

import rnncourse.checks

from ..._axes import Structure
from ..._exercise import Exercise, FillError, fill, fill_forgotten, find, parameters
from ...checks.drivers import Outcome, Problem
from ...checks.plan import Case, cases_of, plan_of
from .messages import MAX_FIGURES, is_figure, outcome_frame
from .protocol import MAX_OUTPUT, encode
from .rest import go_on, is_exit, is_not_here, undefined
from .scan import Reading, read_cells

DOTS_PER_INCH = (80, 40)
"""The second is for figures that are too large as a file at the first."""
MAX_INCHES = 20
"""The longest side of a figure that is drawn."""

WARMUP_RUNS = 10
"""How often a worker goes through what every child does, for Python gets faster at it each time.
Each exercise is tried once: that loads what it needs."""
_READ = """
import math as m
from torch import nn

class Model(nn.Module):
    def __init__(self, size=3):
        super().__init__()
        self.weights = [nn.Parameter(torch.ones(size)) for _ in range(2)]

def f(x, *rest):
    \"\"\"Text.\"\"\"
    for k in range(3):
        if k > 1 and not rest:
            x, y = x[:, k:] @ rest[0].T + m.pi, getattr(torch, "tanh")(x)
    return (lambda z: z - 1)(y)
"""
_LOOK = "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.title('a'); plt.show()"
_WARMUP_CELLS = (
    "1 + 1",
    "%matplotlib inline",
    "%time sum(range(3))",
    "import torch\nfrom rnncourse import carry_over, check, data, demo, fill, nn, plots, train",
    "plots.course_style()\nprint()",
    "def f(x):\n    return x\n\nraise ValueError(f(3))",
    "import torch\nprint(torch.ones(2, 2))",
)


@dataclass(frozen=True)
class CellResult:
    """How a cell went.

    Attributes:
        error: what went wrong, "" if nothing did.
        output: the beginning of what it printed and displayed.
        figures: PNG files of what it drew.
    """

    error: str
    output: str
    figures: tuple[bytes, ...]


class _Text(io.StringIO):
    """Keeps the beginning of what is written to it."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, MAX_OUTPUT + 1 - self.tell())])
        return len(text)


class _Publisher(DisplayPublisher):
    """Displays as text."""

    def publish(self, data: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        print(data.get("text/plain", ""))


class _Compiler(CachingCompiler):
    """Calls the code of a cell by the cell's name, which errors and warnings then tell."""

    cell_name = "a cell"

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        return self.cell_name


class _Shell(InteractiveShell):
    """IPython without a screen, without tracebacks (they are slow), and without other programs.

    Attributes:
        plain: sources that are known to be Python as they stand.
        failure: the last error of a cell, also of one that a magic such as %%time has run.
    """

    display_pub_class = Type(_Publisher)
    compiler_class = Type(_Compiler)
    plain: frozenset[str] = frozenset()
    failure: BaseException | None = None

    def transform_cell(self, raw_cell: str) -> str:
        """To look for magic in a cell takes longer than to run it."""
        several_lines = "\n" in raw_cell.strip()  # of a single one, `ls` may be meant for magic
        if raw_cell in self.plain and several_lines and not self.input_transformers_post:
            return raw_cell if raw_cell.endswith("\n") else raw_cell + "\n"
        return str(super().transform_cell(raw_cell))  # type: ignore[no-untyped-call]

    def should_run_async(self, raw_cell: str, **kwargs: Any) -> bool:
        asks = "await" in raw_cell or "async" in raw_cell
        return asks and super().should_run_async(raw_cell, **kwargs)

    def enable_gui(self, gui: str | None = None) -> None:
        pass

    def enable_matplotlib(self, gui: str | None = None) -> tuple[str | None, str]:
        return gui, matplotlib.get_backend()

    def showtraceback(self, *args: Any, **kwargs: Any) -> None:
        self.failure = sys.exc_info()[1]

    def showsyntaxerror(self, *args: Any, **kwargs: Any) -> None:
        self.failure = sys.exc_info()[1]

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
        shell: Any = _Shell.instance(config=config)
        self._shell = shell
        self._shell.display_formatter.active_types = ["text/plain"]  # no other form is kept
        self._figures: list[bytes] = []
        self._drawn = 0
        self._missed = False
        rnncourse.check = rnncourse.checks.check = _check
        plt.show = self._keep_figures

    def warm_up(self, names: Iterable[str]) -> None:
        """Do what a notebook does, so that no child has to load what it needs, or could not any
        more. Nothing is left of it that a notebook could see.

        Args:
            names: the exercises that will be asked.
        """
        with matplotlib.rc_context():
            self.run_cell(_LOOK, "a look")
            for _ in range(WARMUP_RUNS):
                self.read([*_WARMUP_CELLS, _READ], {"f": ["torch.nn.LSTM"]})
                for source in _WARMUP_CELLS:
                    self.run_cell(source, "a warm-up")
            for name in names:
                self._warm_up_exercise(find(name))
        self._shell.reset(new_session=False)
        self._drawn = 0
        self._missed = False

    def read(self, cells: Sequence[str], forbidden_calls: Mapping[str, Sequence[str]]) -> Reading:
        """Read the sources of cells before any runs, see `scan`."""
        reading = read_cells(
            cells, forbidden_calls, self._shell.input_transformer_manager.transform_cell
        )
        self._shell.plain = reading.plain
        return reading

    def run_cell(self, source: str, name: str) -> CellResult:
        """Run a cell; errors call it by its name."""
        text = _Text()
        self._figures = []
        self._shell.compile.cell_name = name
        self._shell.failure = None
        error: BaseException | None
        try:
            with redirect_stdout(text), redirect_stderr(text):
                result = self._shell.run_cell(source, store_history=False)
                error = result.error_before_exec or result.error_in_exec or self._shell.failure
                if isinstance(error, Exception) and not is_exit(error):
                    self._go_on(source, name, error)
                if plt.get_fignums():  # a notebook shows at the end of a cell what is still open
                    self._keep_figures()
        except BaseException as unexpected:  # such as a source that is not Unicode
            error = unexpected
        return CellResult(self._described(error), text.getvalue(), tuple(self._figures))

    def fill_forgotten(self) -> dict[str, str]:
        """Fill what was written without @fill; a sentence for each."""
        return fill_forgotten(self._shell.user_ns)

    def undefined(self, names: Iterable[str]) -> dict[str, str]:
        """A name that an exercise uses and that is not there, for each that has one, as far as the
        cells have come. No exercise is called for that."""
        found = {}
        for exercise in names:
            with suppress(Exception):  # a function may be anything
                if name := undefined(find(exercise).filled, self._shell.user_ns):
                    found[exercise] = name
        return found

    def call(self, exercise: str, case: Case) -> Outcome:
        """Call what fills an exercise."""
        try:
            return plan_of(exercise).call(find(exercise).stub, case)
        except BaseException as error:  # SystemExit, or an error that cannot be put into words
            return Outcome(problem=Problem("raised", f"it raised {type(error).__name__}"))

    def _keep_figures(self, *args: object, **kwargs: object) -> None:
        """What plt.show is in the sandbox."""
        for number in plt.get_fignums():
            if self._drawn < MAX_FIGURES:
                self._drawn += 1
                self._figures += _drawn(plt.figure(number))
        plt.close("all")

    def _go_on(self, source: str, name: str, error: Exception) -> None:
        """Run what follows the line that failed, where that is safe."""
        self._missed = self._missed or is_not_here(error)
        again = is_not_here(error) or (self._missed and isinstance(error, NameError))
        body = source.partition("\n")[2] if source.lstrip().startswith("%%") else source
        with suppress(Exception):
            tree = self._shell.compile.ast_parse(self._shell.transform_cell(body))
            go_on(tree, error, self._shell.user_ns, name, again)

    def _warm_up_exercise(self, entry: Exercise) -> None:
        blank = f"@fill\ndef {entry.name}{parameters(entry)}:\n    raise NotImplementedError()"
        self.run_cell(blank, "a warm-up")
        plan, generator = plan_of(entry.name), torch.Generator().manual_seed(0)
        stages = plan.stages_on(plan.fixtures(plan.sizes, generator))
        cases = {(c.driver, c.probed): c for c in reversed(cases_of(stages).values())}
        for case in cases.values():
            self.call(entry.name, case)
            function = _something(plan.driver_of(case.driver).structure, case)
            encode(outcome_frame(plan.call(function, case)))
        entry.filled = None

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


def _drawn(figure: Figure) -> list[bytes]:
    """A figure as a PNG file; none where it is too large or cannot be drawn."""
    if max(figure.get_size_inches()) <= MAX_INCHES:
        for dots in DOTS_PER_INCH:
            file = io.BytesIO()
            with suppress(Exception):
                figure.savefig(file, format="png", dpi=dots, bbox_inches="tight")
                if is_figure(file.getvalue()):
                    return [file.getvalue()]
    print("A figure is left out: it is too large, or cannot be drawn.")
    return []


def _something(structure: Structure, case: Case) -> Callable[..., Any]:
    """A function with results of this structure that uses what exercises use, so that torch loads
    it."""

    def results(value: Tensor, structure: Structure) -> Any:
        if isinstance(structure, str):
            return value * torch.ones_like(case.cotangents.get(structure, torch.ones(2, 2)))
        return tuple(results(value, part) for part in structure)

    def function(*args: Any, **inputs: Any) -> Any:
        given = [v for v in (*args, *inputs.values()) if isinstance(v, Tensor)]
        value = torch.ones(2, 2) * sum(v.double().mean().float() for v in given)
        for _ in range(3):
            left, right = (value @ value.T + value).chunk(2, dim=1)
            value = torch.cat([torch.sigmoid(left) * 2, torch.tanh(right[:, :1])], dim=1)
        copy = value.clone()
        copy[0] = 1.0
        return results((torch.stack([*value[:1], copy[1]]) - value / 2).sum(), structure)

    return function
