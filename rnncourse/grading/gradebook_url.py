"""A gradebook's URL: SQLite or PostgreSQL. A password never gets into a message."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from .._errors import CourseError

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


def _located_file(url: URL, folder: Path) -> URL:
    if url.database in (None, "", ":memory:"):
        raise CourseError("a gradebook in memory would be lost: its URL looks like sqlite:///FILE.")
    return url.set(database=str((folder / str(url.database)).resolve()))
