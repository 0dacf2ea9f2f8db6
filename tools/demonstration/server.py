"""Serves the site, and beside it the pages of the demonstration class.

It goes on in the background until `make stop`.
"""

from __future__ import annotations

import functools
import http.server
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

SECONDS_TO_START = 60
"""On a busy machine; it is there at once on another."""
ROOMS = ("feedback", "class")
"""What is served of a course folder: the learners' pages and the class's; nothing else of it."""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of the site; below the names of the rooms, files of the class."""

    def __init__(self, *args: object, course: Path, **kwargs: object) -> None:
        self.course = course
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def translate_path(self, path: str) -> str:
        """Where the file behind an address lies."""
        room, _, rest = path.removeprefix("/").partition("/")
        if room not in ROOMS:
            return super().translate_path(path)
        site, self.directory = self.directory, str(self.course / room)
        try:
            return super().translate_path("/" + rest)
        finally:
            self.directory = site

    def log_message(self, format: str, *args: object) -> None:
        """Print no line for each request."""


def serve(site: Path, course: Path, port: int) -> None:
    """Serve on loopback until the process is ended."""
    handler = functools.partial(Handler, directory=str(site), course=course)
    http.server.ThreadingHTTPServer(("127.0.0.1", port), handler).serve_forever()


def start(site: Path, course: Path, port: int, note: Path) -> str:
    """Start a server in the background and give its address.

    Args:
        note: where its process number is kept, for `stop`.

    Raises:
        OSError: nothing answers at the port, or something else does.
    """
    stop(note)
    claim(port)
    command = [sys.executable, "-m", __name__, str(site), str(course), str(port)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    )
    address = f"http://127.0.0.1:{port}/"
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end:
        if process.poll() is not None:
            raise OSError(f"the server at {address} ended at once")
        try:
            urllib.request.urlopen(address, timeout=SECONDS_TO_START).close()
            note.write_text(str(process.pid), encoding="utf-8")
            return address
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    process.kill()
    raise OSError(f"the server at {address} does not answer")


def claim(port: int) -> None:
    """Make sure that a port is free.

    Raises:
        OSError: it is not, or there is no such port.
    """
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OverflowError:
        raise OSError(f"there is no port {port}: choose one up to 65535") from None
    except OSError:
        raise OSError(f"port {port} is taken: choose another, make course PORT=8001") from None


def stop(note: Path) -> bool:
    """End the server that `start` left in the background, and wait until it has ended; False if
    there is none."""
    if not note.exists():
        return False
    pid = int(note.read_text(encoding="utf-8"))
    note.unlink()
    if not _is_ours(pid):
        return False
    os.kill(pid, signal.SIGTERM)
    while _process(pid):
        time.sleep(0.05)
    return True


def _is_ours(pid: int) -> bool:
    """Whether a process is such a server: its number may have been given to another since."""
    return __name__ in _process(pid)


def _process(pid: int) -> str:
    """What a process is running; "" when it has ended."""
    done = subprocess.run(
        ["ps", "-o", "state=,args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "" if done.stdout.startswith("Z") else done.stdout


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
