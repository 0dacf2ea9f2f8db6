"""What nbgrader is told about a course: nbgrader_config.py, read as nbgrader reads it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_core.paths import jupyter_config_path
from nbgrader.apps.baseapp import NbGrader
from nbgrader.coursedir import CourseDirectory
from traitlets import TraitError
from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

from .._errors import CourseError

FILE = "nbgrader_config.py"


def load(folder: Path) -> Config:
    """The configuration that nbgrader has in a course folder: the machine's, the person's, and
    last the folder's own.

    Raises:
        CourseError: a file cannot be run.
    """
    config = Config()
    with importing_from(folder):
        for place in (*reversed(jupyter_config_path()), str(folder)):
            config.merge(_load_file(Path(place)))
    read: Config = NbGrader(config=config).config  # it knows how options were called before
    return read


def directory(folder: Path, config: Config) -> CourseDirectory:
    """The names of a course folder's parts.

    Raises:
        CourseError: the configuration gives a name that is none.
    """
    try:
        return CourseDirectory(config=config, root=str(folder))
    except TraitError as error:
        raise CourseError(f"{folder / FILE} cannot be used: {error}") from error


@contextmanager
def importing_from(folder: Path) -> Iterator[None]:
    """While this lasts, modules in a course folder can be imported, as nbgrader lets them: a
    plugin lies beside the configuration that names it."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _load_file(folder: Path) -> Config:
    try:
        return PyFileConfigLoader(FILE, path=str(folder)).load_config()
    except ConfigFileNotFound:
        return Config()
    except (Exception, SystemExit) as error:
        path = folder / FILE
        raise CourseError(f"{path} cannot be used: {_where(error, path)}{_what(error)}.") from error


def _where(error: BaseException, path: Path) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f"line {lines[-1]}: " if lines else ""


def _what(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).rstrip('.')}"
