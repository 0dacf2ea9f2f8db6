"""The sandboxed worker: for each submission it forks a child, which runs a learner's code.

    python -P -s -m rnncourse.grading.worker sandboxed|plain

It runs inside the sandbox and knows no reference, spec or expected value. Standard input is its
control socket. The host sends START with a socket for a child to talk on, or END, which is
answered with the child's exit status when nothing is left of the child; END is always sent before
the next START. A child is asked to run cells and to call exercises, see `_serve`.
"""

from __future__ import annotations

import gc
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from typing import NoReturn

import torch

from . import isolation
from .protocol import END, MAX_OUTPUT, START, Frame, clean, outcome_frame, receive, send
from .session import Session

BLOCKED = {signal.SIGTERM, signal.SIGCHLD}
"""Signals that wait until a supervisor asks for them; children have them as usual."""


class Child:
    """A forked process for one submission, in a place of its own that disappears with it.

    With namespaces there is a supervisor between it and the worker, which ends the child when it
    is told to: it can name the child, and the child cannot name it.
    """

    def __init__(self, body: Callable[[], None], namespaces: bool) -> None:
        self._namespaces = namespaces
        self._folder = "" if namespaces else tempfile.mkdtemp()
        self._pid = os.fork()
        if self._pid == 0:
            _run_and_exit(lambda: _supervise(body) if namespaces else self._run_plain(body))

    def end(self) -> int:
        """Make sure that it has ended; its exit status, 128 + n after signal n."""
        if self._namespaces:
            os.kill(self._pid, signal.SIGTERM)
            return _wait(self._pid)
        status = _kill_group(self._pid)
        shutil.rmtree(self._folder, ignore_errors=True)
        return status

    def wait(self) -> int:
        """Wait for it to end by itself; its exit status."""
        return _wait(self._pid)

    def _run_plain(self, body: Callable[[], None]) -> None:
        os.setpgid(0, 0)
        if sys.platform == "linux":
            isolation.die_with_parent()
        os.chdir(self._folder)
        _as_usual()
        body()


def main() -> None:
    """Serve until the host closes the control socket."""
    control = socket.socket(fileno=os.dup(0))
    sandboxed = sys.argv[1] == "sandboxed"
    signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
    torch.set_num_threads(1)
    session = Session()
    session.warm_up()
    if sandboxed:
        isolation.forbid_inspection()
    namespaces = sandboxed and Child(lambda: None, namespaces=True).wait() == 0
    gc.collect()
    gc.freeze()
    send(control, Frame({"namespaces": namespaces}))
    _accept(control, partial(_serve, session, isolation.address_space()), namespaces)


def _accept(
    control: socket.socket, serve: Callable[[socket.socket], None], namespaces: bool
) -> None:
    child: Child | None = None
    while True:
        command, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if command == START:
            with socket.socket(fileno=descriptors[0]) as link:
                child = Child(partial(serve, link), namespaces)
        elif child:
            status = child.end()
            child = None
            if command == END:
                send(control, Frame({"status": status}))
        if not command:
            return


def _supervise(body: Callable[[], None]) -> None:
    isolation.new_namespaces()
    pid = os.fork()
    if pid == 0:
        _run_and_exit(lambda: _run_isolated(body))
    os.closerange(0, os.sysconf("SC_OPEN_MAX"))
    if signal.sigwait(BLOCKED) == signal.SIGTERM:
        os.kill(pid, signal.SIGKILL)
    os._exit(_wait(pid))


def _run_isolated(body: Callable[[], None]) -> None:
    isolation.die_with_parent()
    isolation.private_folders()
    isolation.drop_capabilities()
    isolation.limit_processes()
    _as_usual()
    body()


def _serve(session: Session, idle: int, link: socket.socket) -> None:
    """Answer the host's requests until it hangs up. `idle` is the address space in use before.

    The first sets limits and has no answer: {"memory", "seconds"}. Then come
    {"cell": source} → {"error", "output"}, {"forgotten": true} → {"notes"}, and
    {"exercise", "driver"} with arrays → an outcome.
    """
    link = isolation.keep_only(link)
    limits = receive(link).header
    isolation.limit(idle + limits["memory"] if idle else 0, limits["seconds"])
    random.seed(0)  # a fork seeds it anew, and a regrade must draw the same
    while True:
        send(link, _answer(receive(link), session))


def _answer(request: Frame, session: Session) -> Frame:
    header = request.header
    if "cell" in header:
        error, output = session.run_cell(header["cell"])
        return Frame({"error": clean(error), "output": clean(output, MAX_OUTPUT)})
    if "forgotten" in header:
        return Frame({"notes": {k: clean(v) for k, v in session.fill_forgotten().items()}})
    return outcome_frame(session.call(header["exercise"], header["driver"], request.arrays))


def _run_and_exit(body: Callable[[], None]) -> NoReturn:
    """Run in a forked process, which must not go on where its parent was."""
    status = 1
    try:
        body()
        status = 0
    finally:
        os._exit(status)


def _as_usual() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)


def _kill_group(pid: int) -> int:
    for kill in (os.killpg, os.kill):  # the group is there only when the child has come to make it
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return _wait(pid)


def _wait(pid: int) -> int:
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    main()
