"""A worker's process, from its start to its end, with one child at a time."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from ..worker.protocol import (
    END,
    MAX_OUTPUT,
    START,
    ProtocolError,
    Reader,
)
from .deadline import Deadline
from .launch import Launch, SandboxError

START_SECONDS = 600.0
"""Within which a worker has to be ready: seconds on an idle machine, a minute on a busy one."""
END_SECONDS = 60.0
"""Within which a worker has to bring a child to life, to get rid of it, or to end."""


class WorkerDiedError(Exception):
    """The worker itself, not only a child, has ended or does not answer."""


class WorkerProcess:
    """A running worker and its control socket."""

    def __init__(self, launch: Launch, seconds: float) -> None:
        self._control, theirs = socket.socketpair()
        self._reader = Reader(self._control)
        self._ending = False
        self._folder = tempfile.TemporaryDirectory()
        self._log = Path(self._folder.name, "stderr")
        home = {} if launch.sandboxed else {"HOME": self._folder.name, "TMPDIR": self._folder.name}
        with theirs, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                launch.command,
                env=launch.environment | home,
                cwd=self._folder.name,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,  # an interrupt from the keyboard is the host's to handle
            )
        try:
            ready = self._reader.frame(Deadline(seconds)).header
        except (ProtocolError, EOFError, OSError) as error:
            raise SandboxError(self._why_not_ready(error)) from None
        self.layers = launch.layers(ready.get("namespaces") is True, ready.get("seccomp") is True)

    def fork(self) -> socket.socket:
        """A socket to a new child."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._take_end()
                if sys.platform == "linux":
                    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
                socket.send_fds(self._control, [START], [theirs.fileno()])
            except (ProtocolError, EOFError, OSError):
                ours.close()
                raise WorkerDiedError from None
        return ours

    def dismiss(self) -> None:
        """Have the child ended; the next thing that is asked of the worker waits for it."""
        try:
            self._control.settimeout(END_SECONDS)
            self._control.sendall(END)
        except OSError:
            raise WorkerDiedError from None
        self._ending = True

    def end(self) -> int:
        """End the child, whatever it is doing; its exit status."""
        self.dismiss()
        try:
            return self._take_end()
        except (ProtocolError, EOFError, OSError):
            raise WorkerDiedError from None

    def stop(self) -> None:
        """End the worker, by force if it does not end by itself."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for it as well
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._control.close()
        self._folder.cleanup()

    def _take_end(self) -> int:
        """The exit status of the child that is being ended, if there is one."""
        if not self._ending:
            return 0
        status = self._reader.frame(Deadline(END_SECONDS)).header.get("status")
        if not isinstance(status, int):
            raise ProtocolError("there is no exit status.")
        self._ending = False
        return status

    def _why_not_ready(self, error: Exception) -> str:
        self._process.kill()
        self._process.wait()
        said = self._log.read_text(errors="replace").strip()[-MAX_OUTPUT:]
        self.stop()
        late = isinstance(error, TimeoutError)
        reason = "was not ready in time" if late else "ended before it was ready"
        return f"the grading worker {reason}. " + (f"It said:\n{said}" if said else "")
