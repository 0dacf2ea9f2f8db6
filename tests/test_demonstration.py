"""The server that `make course` leaves running."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tools.demonstration.server import start, stop


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def fetched(address: str) -> str:
    with urllib.request.urlopen(address, timeout=600) as response:
        text: str = response.read().decode("utf-8")
        return text


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    site, course = tmp_path / "site", tmp_path / "course"
    (course / "feedback" / "ada").mkdir(parents=True)
    (course / "class").mkdir()
    site.mkdir()
    (site / "index.html").write_text("the course", encoding="utf-8")
    (course / "feedback" / "ada" / "lstm.html").write_text("ada's page", encoding="utf-8")
    (course / "class" / "lstm.html").write_text("all of them", encoding="utf-8")
    (course / "gradebook.db").write_text("marks", encoding="utf-8")
    return site, course, tmp_path / "server.pid"


def test_it_serves_the_site_and_the_pages_and_stops(places: tuple[Path, Path, Path]) -> None:
    address = start(*places[:2], free_port(), places[2])
    try:
        assert fetched(address) == "the course"
        assert fetched(address + "feedback/ada/lstm.html") == "ada's page"
        assert fetched(address + "class/lstm.html") == "all of them"
        for outside in ("feedback/../gradebook.db", "class/%2e%2e/gradebook.db", "gradebook.db"):
            with pytest.raises(urllib.error.HTTPError):
                fetched(address + outside)
    finally:
        assert stop(places[2])
    with pytest.raises(urllib.error.URLError):
        fetched(address)
    assert not stop(places[2])


def test_starting_again_replaces_the_first(places: tuple[Path, Path, Path]) -> None:
    port = free_port()
    for _ in range(2):
        address = start(*places[:2], port, places[2])
    assert fetched(address) == "the course"
    assert stop(places[2])


def test_a_taken_port_is_said(places: tuple[Path, Path, Path]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match=r"port \d+ is taken: choose another"):
            start(*places[:2], taken.getsockname()[1], places[2])
