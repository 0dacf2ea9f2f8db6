"""nbgrader's tables in a new gradebook."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager

from alembic.script import ScriptDirectory
from nbgrader import api
from nbgrader.dbutil import ALEMBIC_DIR


@contextmanager
def making_tables() -> Iterator[None]:
    """Let nbgrader make a gradebook without the program `alembic`.

    nbgrader starts that program to learn the version of its own tables. It need not be on PATH, as
    in an environment that is not activated, and starting it takes a second of computing.
    """
    asked = api.get_alembic_version
    api.get_alembic_version = schema_version
    try:
        yield
    finally:
        api.get_alembic_version = asked


@functools.cache
def schema_version() -> str:
    """The version of nbgrader's tables, as its migrations name it."""
    return str(ScriptDirectory(ALEMBIC_DIR).get_current_head())
