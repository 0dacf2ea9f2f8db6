"""A connection to a gradebook: SQLite or PostgreSQL.

A password never gets into a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from ..._errors import CourseError
from ..._installation import install_command
from ..gradebook_url import shown

BUSY_SECONDS = 60
"""How long to wait while another program writes to the same SQLite file."""
CONNECT_SECONDS = 10


def connect(url: URL) -> Engine:
    """An engine for a gradebook; nothing is opened yet.

    Raises:
        CourseError: the driver is not installed.
    """
    try:
        if url.get_backend_name() == "sqlite":
            return _sqlite(url)
        waiting = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS}
        return create_engine(url, pool_pre_ping=True, connect_args=waiting)
    except ImportError as error:
        raise CourseError(
            f"{shown(url)} needs {url.get_driver_name()}, which is not installed: "
            + install_command("postgresql")
        ) from error


@contextmanager
def telling(url: URL) -> Iterator[None]:
    """Turns what a database complains of into a CourseError."""
    try:
        yield
    except DBAPIError as error:
        raise CourseError(f"{shown(url)} cannot be used: {_reason(error, url)}.") from error


def upsert(connection: Connection, table: Any) -> Any:
    """An insert for a table that can say what happens on a conflict."""
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)


def _sqlite(url: URL) -> Engine:
    # Without a pool no file stays open between two commits, and none crosses a fork.
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _leave_transactions_to_us)
    event.listen(engine, "begin", _begin)
    return engine


def _leave_transactions_to_us(connection: Any, record: object) -> None:
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    # Whoever reads first and writes later can meet another who did the same, and neither can go
    # on; whoever says at once that it will write waits for its turn.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _reason(error: DBAPIError, url: URL) -> str:
    lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
    reason = lines[0].rstrip(".") if lines else type(error.orig).__name__
    return reason.replace(str(url.password), "***") if url.password else reason
