"""Where a gradebook is, and a connection to it: SQLite or PostgreSQL.

A password never gets into a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from ...errors import CourseError
from ...installation import install_command

BUSY_SECONDS = 60
"""How long to wait while another program writes to the same SQLite file."""
CONNECT_SECONDS = 10
EXAMPLE = "postgresql+psycopg://NAME@HOST/DATABASE"
DRIVERS = ("postgresql", "+psycopg", "+psycopg2")


def located(text: str, folder: Path) -> URL:
    """The URL of a gradebook; a relative file lies in `folder`.

    Raises:
        CourseError: it is none, or none of a database that can be used.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise CourseError(
            f"the gradebook's URL cannot be read: it looks like sqlite:///FILE or {EXAMPLE}."
        ) from error
    kind = url.get_backend_name()
    if kind == "sqlite":
        return _located_file(url, folder)
    if kind != "postgresql" or not url.drivername.endswith(DRIVERS):
        raise CourseError(
            f"a gradebook cannot be kept in {url.drivername}: its URL looks like sqlite:///FILE "
            f"or {EXAMPLE}."
        )
    if "@" in (url.host or ""):
        raise CourseError("in the gradebook's URL, an @ in a name or a password is written %40.")
    return url


def shown(url: URL) -> str:
    """A gradebook in messages: its file, or its URL without the password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return str(URL.create(url.drivername, url.username, None, url.host, url.port, url.database))


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


def _located_file(url: URL, folder: Path) -> URL:
    if url.database in (None, "", ":memory:"):
        raise CourseError("a gradebook in memory would be lost: its URL looks like sqlite:///FILE.")
    return url.set(database=str((folder / str(url.database)).resolve()))


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
