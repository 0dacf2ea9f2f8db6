"""What a stub is: a documented function of this package whose body the learner writes.

`@exercise` marks a stub. `@fill`, above the learner's function of the same name, puts that function
in the stub's place: from then on everything in the package that needs it runs the learner's code.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from ._axes import with_shapes
from ._errors import BriefError

P = ParamSpec("P")
R = TypeVar("R")
Function = Callable[..., Any]

CHAPTERS = (
    "shapes",
    "rnn",
    "training",
    "bptt",
    "clipping",
    "lstm",
    "gru",
    "embedding",
    "models",
)
"""The modules that hold stubs, in the order of the course. An assignment has its module's name."""

_STUB = re.compile(r"^@exercise\ndef (\w+)", re.MULTILINE)


class FillError(BriefError, TypeError):
    """A function cannot take a stub's place. The message says why."""


class UnfilledError(BriefError, NotImplementedError):
    """A stub was called before it was filled in."""

    def __init__(self, exercise: Exercise) -> None:
        super().__init__(exercise.what_is_missing())
        self.exercise = exercise


@dataclass(eq=False)
class Exercise:
    """One stub, and what was put in its place.

    Attributes:
        name: the stub's name, the same in every notebook.
        chapter: its module in this package, which is also the assignment's name.
        body: the function as it stands in the module.
        stub: what the module exports; it runs `filled`, else `body`.
        filled: the learner's function, if there is one.
        stubs: every stub made for it: a module that is loaded again makes another.
    """

    name: str
    chapter: str
    body: Function
    stub: Function
    filled: Function | None = None
    stubs: list[Function] = field(default_factory=list)

    def what_is_missing(self) -> str:
        """A sentence on an empty exercise, or on one whose last line was not deleted."""
        names = self.filled.__code__.co_names if self.filled else ()
        if set(names) - {"NotImplementedError"}:
            return f"{self.name} still holds the line raise NotImplementedError(): delete it."
        notebook = f"{self.chapter}.ipynb"
        return f"{self.name} is not filled in yet. It is an exercise of the notebook {notebook}."

    @property
    def signature(self) -> inspect.Signature:
        """The parameters, as they stand in the module."""
        return inspect.signature(self.body)

    def is_stub(self, function: Function) -> bool:
        """Whether `function` is the package's own, and not one that somebody wrote for it."""
        return any(function is stub for stub in self.stubs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run what fills the exercise."""
        __tracebackhide__ = True
        function = self.filled or self.body
        try:
            return function(*args, **kwargs)
        except NotImplementedError as error:
            blank = left_blank(error)
            if blank is None:
                raise
            raise UnfilledError(blank) from None


# Reloading this module must not forget what was filled: a notebook with autoreload does it.
_exercises: dict[str, Exercise] = globals().get("_exercises", {})


def exercise(body: Callable[P, R]) -> Callable[P, R]:
    """Mark `body` as a stub and return the function that stands for it in the package.

    A module that is loaded again keeps its entries: what was filled stays, and stubs that others
    imported earlier see what is filled later.
    """

    body.__doc__ = with_shapes(body)

    @functools.wraps(body)
    def stub(*args: P.args, **kwargs: P.kwargs) -> R:
        __tracebackhide__ = True
        result: R = entry(*args, **kwargs)
        return result

    chapter = body.__module__.rpartition(".")[2]
    entry = _exercises.setdefault(body.__name__, Exercise(body.__name__, chapter, body, stub))
    entry.body, entry.stub = body, stub
    entry.stubs.append(stub)
    return stub


def fill(function: Callable[P, R]) -> Callable[P, R]:
    """Put `function` in the place of the stub of the same name.

    Returns:
        `function` itself, with the stub's docstring if it had none.

    Raises:
        FillError: no stub has this name, or its parameters differ from the stub's.

    Example:
        >>> @fill
        ... def skipgram_pairs(ids, window):
        ...     return [(ids[0], ids[window])]
        >>> from rnncourse import embedding
        >>> embedding.skipgram_pairs([7, 8, 9], 2)  # the package runs it from now on
        [(7, 9)]
    """
    if not inspect.isfunction(function):
        raise FillError(
            f"fill stands above a function, and this is {describe(function)}: "
            "write @fill, and on the next line def and the exercise's name."
        )
    if inspect.iscoroutinefunction(function):
        raise FillError(f"{function.__name__} must be an ordinary def, not async def.")
    entry = find(function.__name__)
    if entry.is_stub(function):
        raise FillError(f"{entry.name} is the empty exercise itself: write a function of your own.")
    difference = _parameter_difference(entry, inspect.signature(function))
    if difference:
        raise FillError(f"{entry.name}{parameters(entry)}: {difference}")
    if function.__doc__ is None:
        function.__doc__ = entry.body.__doc__
    entry.filled = function
    return function


def find(name: str) -> Exercise:
    """The exercise called `name`.

    Raises:
        FillError: there is none; the message offers the nearest name.
    """
    if entry := _exercises.get(name):  # of a chapter that is loaded
        return entry
    known = exercises()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the exercises are {', '.join(known)}."
    raise FillError(f"there is no exercise called {name}: {hint}")


def exercises() -> dict[str, Exercise]:
    """Every exercise by name, in the order of the course."""
    for chapter in CHAPTERS:
        importlib.import_module(f"rnncourse.{chapter}")
    return {
        name: entry
        for chapter in CHAPTERS
        for name, entry in _exercises.items()
        if entry.chapter == chapter
    }


@functools.cache
def outline() -> dict[str, tuple[str, ...]]:
    """The names of each chapter's exercises, as they are written there: no chapter is loaded, nor
    torch, which each needs."""
    folder = Path(__file__).parent
    texts = {chapter: (folder / f"{chapter}.py").read_text("utf-8") for chapter in CHAPTERS}
    return {chapter: tuple(_STUB.findall(text)) for chapter, text in texts.items()}


@contextmanager
def substituted(replacements: Mapping[str, Function], user: Function) -> Iterator[None]:
    """For a while, let other functions run wherever exercises are called by name: through the stub,
    and where `user` and the learner's functions look the name up themselves (in a notebook they
    do)."""
    with ExitStack() as stack:
        for name, replacement in replacements.items():
            stack.enter_context(_substituted(name, replacement, user))
        yield


@contextmanager
def _substituted(name: str, replacement: Function, user: Function) -> Iterator[None]:
    entry = find(name)
    filled = entry.filled
    functions = [user, *(e.filled for e in _exercises.values() if e.filled)]
    spaces = {id(space): space for f in functions if (space := _space(f, name)) is not None}
    before = [(space, space.get(name)) for space in spaces.values()]
    entry.filled = replacement
    for space, _ in before:
        space[name] = replacement
    try:
        yield
    finally:
        entry.filled = filled
        for space, value in before:
            if value is None:
                del space[name]
            else:
                space[name] = value


def fill_forgotten(space: dict[str, Any]) -> dict[str, str]:
    """Fill exercises with plain functions of their names in `space`, a notebook's variables: a
    learner who forgets @fill means it, and of two functions the last one counts.

    Returns:
        A sentence for each exercise that was treated so.
    """
    notes = {}
    for name, entry in exercises().items():
        function = space.get(name)
        if not inspect.isfunction(function) or entry.is_stub(function):
            continue
        if inspect.unwrap(function) is entry.filled or function is entry.filled:
            continue
        if function.__name__ != name:
            continue
        try:
            fill(function)
            notes[name] = f"@fill is missing above {name}; your function was taken all the same."
        except FillError as error:
            notes[name] = f"{name} is not filled in, and your function could not be: {error}"
    return notes


@contextmanager
def demo() -> Iterator[None]:
    """A context for code that needs filled stubs: where one is empty or fails, say so and go on.

    A notebook's demonstrations stand inside it, so that Run All reaches the end from the first day.

    Example:
        >>> from rnncourse.embedding import skipgram_pairs
        >>> with demo():
        ...     print(skipgram_pairs([7, 8, 9], window=1))
        Nothing to see yet: skipgram_pairs is not filled in yet. ...
    """
    try:
        yield
    except NotImplementedError as error:
        unfilled = error if isinstance(error, UnfilledError) else None
        blank = unfilled.exercise if unfilled else left_blank(error)
        print(f"Nothing to see yet: {UnfilledError(blank) if blank else _described(error)}")
    except Exception as error:
        print(f"Nothing to see yet: {_described(error)}")


def left_blank(error: NotImplementedError) -> Exercise | None:
    """The exercise whose bare `raise NotImplementedError()` this is: an empty answer. None if the
    error comes from elsewhere, such as an operation that torch does not have for a device."""
    if type(error) is not NotImplementedError or error.args:
        return None
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    raised_in = trace and trace.tb_frame.f_code
    for entry in _exercises.values():
        if raised_in is getattr(entry.filled or entry.body, "__code__", None):
            return entry
    return None


def parameters(entry: Exercise) -> str:
    """An exercise's parameters without annotations: "(x, h, value=1)"."""
    bare = [p.replace(annotation=p.empty) for p in entry.signature.parameters.values()]
    return str(inspect.Signature(bare))


def describe(value: object) -> str:
    """What `value` is, in words for a message: "a list", "an LSTM", "a Tensor of shape (3, 4)"."""
    if value is None:
        return "None"
    name = type(value).__name__
    spelt = name[:2].isupper() or name.startswith("nd")  # read letter by letter: an L, an n
    article = "an" if name[0] in ("AEFHILMNORSXn" if spelt else "AEIOUaeiou") else "a"
    shape = getattr(value, "shape", None)
    return f"{article} {name}" + (f" of shape {tuple(shape)}" if isinstance(shape, tuple) else "")


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}. Make the checks above pass first."


def _space(function: Function, name: str) -> dict[str, Any] | None:
    """The variables among which a function would look `name` up, if it does."""
    space: dict[str, Any] | None = getattr(function, "__globals__", None)
    code = getattr(function, "__code__", None)
    uses = space is not None and (name in space or (code and name in code.co_names))
    return space if uses else None


def _parameter_difference(entry: Exercise, given: inspect.Signature) -> str:
    """How `given` differs from the stub's signature in one sentence; "" when it does not."""
    wanted, got = entry.signature.parameters, given.parameters
    missing = [name for name in wanted if name not in got]
    extra = [name for name in got if name not in wanted]
    if missing and extra:
        return f"your function has {', '.join(extra)} where {', '.join(missing)} should be."
    if missing:
        return f"your function lacks {', '.join(missing)}."
    if extra:
        return f"your function has {', '.join(extra)}, which the exercise does not."
    if list(wanted) != list(got):
        return f"your function has them in another order: ({', '.join(got)})."
    for name, parameter in wanted.items():
        if got[name].kind != parameter.kind:
            return f"{name} must be an ordinary parameter."
        if repr(got[name].default) != repr(parameter.default):
            return f"the default of {name} must be {_default(parameter)}."
    return ""


def _default(parameter: inspect.Parameter) -> str:
    return "left out" if parameter.default is parameter.empty else repr(parameter.default)
