"""The sandboxed worker: for each submission it forks a child, which runs a learner's code.

It runs inside the sandbox and knows no solution and no expected value. Standard input is its
control socket. The host sends

    START  with a socket, on which a new child talks, see `_serve`;
    END    which is answered with the child's exit status when nothing is left of it.

Submissions never come here: each goes to its child alone.
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
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import numpy as np
import torch

from ..._exercise import exercises
from . import isolation, seccomp, threads
from .messages import figure_arrays, outcome_frame, read_case
from .operators import Operators, mask_formulas
from .protocol import END, HERE, MAX_OUTPUT, START, Frame, Reader, clean, send
from .session import Session
from .watch import Watch


@dataclass(frozen=True)
class Guards:
    """What holds a learner's code on this machine. Each was tried, not only asked for.

    Attributes:
        namespaces: each child is alone, in a place of its own.
        seccomp: system calls can be forbidden.
        threads: new threads can be allowed, as they are counted; else there are a few, see
            `threads`.
    """

    namespaces: bool = False
    seccomp: bool = False
    threads: bool = True


class Child:
    """A forked process for one submission, in a place of its own that disappears with it."""

    def __init__(
        self, body: Callable[[], None], namespaces: isolation.ProcessNamespaces | None
    ) -> None:
        self._folder = "" if namespaces else tempfile.mkdtemp()
        self._pid = namespaces.fork() if namespaces else os.fork()
        if self._pid == 0:
            isolation.run_and_exit(partial(self._run, body))

    def end(self) -> int:
        """Make sure that nothing is left of it and of what it has started; its exit status."""
        if self._folder:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        status = isolation.exit_status(os.waitpid(self._pid, 0)[1])
        if self._folder:
            isolation.end_children()
            shutil.rmtree(self._folder, ignore_errors=True)
        return status

    def _run(self, body: Callable[[], None]) -> None:
        if self._folder:
            os.setpgid(0, 0)
            os.chdir(self._folder)
        else:
            isolation.leave_others()
        if sys.platform == "linux":
            isolation.die_with_parent()
        body()


def main() -> None:
    """Serve until the host closes the control socket. Arguments: "sandboxed" or "plain", and the
    exercises that will be asked; all of them if none is named."""
    control = socket.socket(fileno=os.dup(0))
    guards = _tried() if sys.argv[1] == "sandboxed" else Guards()
    if guards.namespaces:
        isolation.become_keeper()
    namespaces = isolation.ProcessNamespaces() if guards.namespaces else None
    torch.set_num_threads(1)
    operators = Operators()
    mask_formulas()
    session = Session()
    session.warm_up(sys.argv[2:] or exercises())
    np.random.seed(0)  # what is drawn must be the same in a regrade, on any machine
    torch.manual_seed(0)
    if sys.platform == "linux":
        isolation.adopt_orphans()
        isolation.forbid_inspection()
    gc.collect()
    gc.freeze()  # what is there now is never looked at again, nor copied for it
    gc.enable()
    _hide_objects()
    isolation.use_huge_pages()
    send(control, Frame({"namespaces": guards.namespaces, "seccomp": guards.seccomp}))
    _accept(control, session, operators, guards, namespaces)


def _hide_objects() -> None:
    """Let no learner's code go through all the objects of this process to what watches it."""

    def refused(*args: object, **options: object) -> NoReturn:
        raise RuntimeError("Python's objects cannot be listed while grading.")

    for name in ("get_objects", "get_referents", "get_referrers", "unfreeze"):
        setattr(gc, name, refused)


def _tried() -> Guards:
    return Guards(
        namespaces=isolation.succeeds(isolation.try_namespaces),
        seccomp=seccomp.available() and isolation.succeeds(seccomp.try_out),
        threads=not isolation.succeeds(isolation.try_too_many_processes),
    )


def _accept(
    control: socket.socket,
    session: Session,
    operators: Operators,
    guards: Guards,
    namespaces: isolation.ProcessNamespaces | None,
) -> None:
    child: Child | None = None
    idle = isolation.address_space()
    while True:
        command, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if command == START:
            with socket.socket(fileno=descriptors[0]) as link:
                child = Child(partial(_serve, link, session, operators, guards, idle), namespaces)
        elif child:
            status = child.end()
            child = None
            if command == END:
                send(control, Frame({"status": status}))
        if not command:
            return


def _serve(
    link: socket.socket, session: Session, operators: Operators, guards: Guards, idle: int
) -> None:
    """Be a child: take one submission, and send what comes of it.

    Comes: a frame with {"memory", "seconds", "forbidden_calls", "cells"}, and one with {"source"}
    for each cell. Goes, after HERE: a frame with {"flags"}; for each cell one with
    {"error", "output"} and its figures; one with {"notes", "undefined"}. Then in each round comes a
    frame with {"exercise", "calls"} and so many that `case_frame` makes, and go the outcomes of
    the calls, each with "used", and a frame with {"used"}. Rounds with public inputs come first. So
    no cell sees an input, and nobody can work out answers before the function is called.

    Args:
        idle: the address space in use before, in bytes.
    """
    link = isolation.keep_only(link)
    link.sendall(HERE)
    reader = Reader(link)
    job = reader.frame().header
    sources = [reader.frame().header["source"] for _ in range(job["cells"])]
    root_grades = guards.seccomp and not guards.threads
    has_few_threads = root_grades and threads.may_be_wanted(sources)
    idle += threads.ADDRESS_SPACE if idle and has_few_threads else 0
    isolation.limit(idle + job["memory"] if idle else 0, job["seconds"])
    random.seed(0)  # the fork has seeded it anew
    if guards.seccomp:
        if has_few_threads:
            threads.prepare(partial(seccomp.install, False))
        seccomp.install(guards.threads)
    _run_cells(link, session, sources, job["forbidden_calls"])
    while True:
        try:
            asked = reader.frame().header
        except EOFError:
            return
        with Watch(operators, job["forbidden_calls"][asked["exercise"]]) as watch:
            _call(link, session, reader, watch, asked)
        send(link, Frame({"used": sorted(watch.used)}))


def _run_cells(
    link: socket.socket, session: Session, cells: list[str], forbidden_calls: dict[str, list[str]]
) -> None:
    reading = session.read(cells, forbidden_calls)
    flags = {name: [clean(text) for text in found] for name, found in reading.flags.items()}
    send(link, Frame({"flags": flags}))
    for source, name in zip(cells, reading.names, strict=True):
        result = session.run_cell(source, name)
        text = {"error": clean(result.error), "output": clean(result.output, MAX_OUTPUT)}
        send(link, Frame(text, figure_arrays(result.figures)))
    notes = {name: clean(note) for name, note in session.fill_forgotten().items()}
    undefined = {name: clean(found) for name, found in session.undefined(forbidden_calls).items()}
    send(link, Frame({"notes": notes, "undefined": undefined}))


def _call(
    link: socket.socket, session: Session, reader: Reader, watch: Watch, asked: dict[str, Any]
) -> None:
    calls = [reader.frame() for _ in range(asked["calls"])]
    for call in calls:
        outcome = session.call(asked["exercise"], read_case(call))
        frame = outcome_frame(outcome)
        frame.header["used"] = sorted(watch.used)
        send(link, frame)
