"""A PostgreSQL server for tests: in a folder of its own, on this machine alone, with passwords."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

psycopg: Any
try:
    import psycopg
except ImportError:
    psycopg = None

USER, PASSWORD = "grader", "p@ss/w:rd %41é"
FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""Tests stop programs, but never the machine."""
PATIENT = ("-w", "-t", "1200")
"""pg_ctl's own 60 seconds can be over before a server has started on a busy machine."""


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        folder: where its programs are.
    """

    port: int
    folder: Path

    def new(self, database: str, template: str = "template1") -> str:
        """The URL of a new database: a copy of another, or empty."""
        plain = self.url("postgres").replace("+psycopg", "")
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f'create database "{database}" template "{template}"')
        return self.url(database)

    def url(self, database: str, password: str = PASSWORD) -> str:
        where = f"127.0.0.1:{self.port}/{database}"
        return f"postgresql+psycopg://{USER}:{quote(password, safe='')}@{where}"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server for all tests, each with its own database."""
    programs = _programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL server: apt install postgresql")
    if psycopg is None:
        pytest.skip("psycopg is not installed: pip install 'rnncourse[postgresql]'")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "password").write_text(PASSWORD, encoding="utf-8")
        account = _account()
        for path in (root, root / "password"):
            shutil.chown(path, account, account) if account else None
        data, log = root / "data", root / "log"
        secured = ("--auth=scram-sha-256", f"--pwfile={root / 'password'}")
        _run(account, programs / "initdb", "-D", data, "-U", USER, "-E", "UTF8", "-N", *secured)
        port = _free_port()
        settings = (f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *FAST)
        options = " ".join(f"-c {setting}" for setting in settings)
        control = programs / "pg_ctl"
        _run(account, control, "start", *PATIENT, "-D", data, "-l", log, "-o", options)
        try:
            yield Server(port, programs)
        finally:
            _run(account, control, "stop", *PATIENT, "-D", data, "-m", "immediate")


def _programs() -> Path | None:
    """The folder of initdb and pg_ctl: Debian's is not on the path."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


def _account() -> str | None:
    """Whose server it is: PostgreSQL refuses to be root's."""
    return "postgres" if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _run(account: str | None, *command: str | Path) -> None:
    with tempfile.TemporaryFile("w+") as said:  # a pipe would stay open in the server
        environment = os.environ | {"LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            command, user=account, group=account, cwd="/", env=environment, stdout=said, stderr=said
        )
        said.seek(0)
        assert done.returncode == 0, said.read()
