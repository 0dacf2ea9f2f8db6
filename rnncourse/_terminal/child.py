"""The process in which a learner's notebooks run: a request comes in, events go out.

Both are JSON objects, one a line. Requests come by the standard input that the process was started
with, events go by its standard output; what notebooks read and write goes elsewhere.

A request has "path", "cells" (each with "index", "source", "seconds"), "exercises" and "seconds".
The events, in order:

    {"event": "begun", "stages": {exercise: names}}
    {"event": "cell", "index": 0}                             it begins
    {"event": "cell ended", "error": "", "stopped": "", "refused": []}
    {"event": "filled", "notes": [...]}
    {"event": "exercise", "name": "lstm_cell"}                it begins
    {"event": "exercise ended", "report": {...}, "printed": ""}
    {"event": "done"}

At any time {"event": "stuck", "reason": "did not end within 10 seconds ..."} says why the process
ends itself.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from .._loading import loading
from .watchdog import GRACE_SECONDS, Watchdog

MAX_PRINTED = 2000
"""Characters of what a function printed that are passed on."""
LAST_SECONDS = 2 * GRACE_SECONDS
"""Computing time after its limit when the system ends the process. That reaches code that neither a
signal handler nor a thread does, such as a loop in C."""


class Channel:
    """Where requests come from and events go."""

    def __init__(self) -> None:
        self._requests = os.fdopen(os.dup(0), "rb")
        self._events = os.dup(1)

    def close_standard_streams(self) -> None:
        """Give the notebook a keyboard that is never used and a screen that nobody sees."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        for text in (sys.stdout, sys.stderr):
            if isinstance(text, io.TextIOWrapper):
                text.reconfigure(encoding="utf-8", errors="replace")

    def requests(self) -> Iterator[dict[str, Any]]:
        """Those that come until the other side goes; then the process ends at once, whatever it is
        doing."""
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=_pass_on, args=(self._requests, lines.put), daemon=True).start()
        while True:
            yield json.loads(lines.get())

    def send(self, event: str, **content: Any) -> None:
        """Tell the parent about an event."""
        os.write(self._events, json.dumps({"event": event, **content}).encode() + b"\n")

    def give_up(self, reason: str) -> None:
        """Say why this process ends, and end it."""
        self.send("stuck", reason=reason)
        os._exit(1)


def main() -> None:
    """Serve requests until the other side goes."""
    channel = Channel()
    with loading():
        from ..checks import public  # noqa: F401  # and torch
        from .shell import Shell
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    channel.close_standard_streams()
    shell: Any = Shell.instance()
    watchdog = Watchdog(channel.give_up)
    watchdog.start()
    for request in channel.requests():
        _reset_torch()
        with _workplace(Path(request["path"]).parent):
            _serve(request, shell, channel.send, watchdog)
        shell.reset(new_session=False)


def _serve(
    request: dict[str, Any], shell: Any, send: Callable[..., None], watchdog: Watchdog
) -> None:
    """Run a notebook's cells, then try its exercises."""
    import rnncourse.checks

    from .._exercise import exercises, fill_forgotten
    from ..checks import examine_within, stage_names

    known = exercises()
    for entry in known.values():
        entry.filled = None
    rnncourse.check = rnncourse.checks.check = _only_fill
    wanted = [known[name] for name in request["exercises"]]
    send("begun", stages={entry.name: stage_names(entry) for entry in wanted})
    for cell in request["cells"]:
        send("cell", index=cell["index"])
        with _ending_process_after(cell["seconds"], watchdog):
            result = shell.run(cell["source"], cell["seconds"])
        send("cell ended", **asdict(result))
    notes = fill_forgotten(shell.user_ns)
    send("filled", notes=[notes[entry.name] for entry in wanted if entry.name in notes])
    for entry in wanted:
        send("exercise", name=entry.name)
        printed = _Text()
        with (
            _ending_process_after(request["seconds"], watchdog),
            contextlib.redirect_stdout(printed),
        ):
            report = examine_within(request["seconds"], entry)
        send("exercise ended", report=asdict(report), printed=printed.getvalue())
    send("done")


@contextlib.contextmanager
def _workplace(folder: Path) -> Iterator[None]:
    """A notebook's folder as the working directory and the first place of modules, as in Jupyter.
    Afterwards its modules are forgotten: another folder may have a helper.py of its own."""
    path, modules = list(sys.path), set(sys.modules)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = path
        own = {name for name in set(sys.modules) - modules if _lies_in(folder, name)}
        for name in [name for name in sys.modules if name.partition(".")[0] in own]:
            del sys.modules[name]


def _lies_in(folder: Path, name: str) -> bool:
    """Whether a module is folder/name.py or folder/name/__init__.py."""
    file = getattr(sys.modules[name], "__file__", None) or ""
    return file in (str(folder / f"{name}.py"), str(folder / name / "__init__.py"))


def _reset_torch() -> None:
    """Take back what a notebook may have set for all of torch."""
    import torch

    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)


def _only_fill(function: Callable[..., Any]) -> None:
    """What `check` is in a cell: every exercise is tried later anyway."""
    from .._exercise import FillError, fill

    with contextlib.suppress(FillError):
        fill(function)


@contextlib.contextmanager
def _ending_process_after(seconds: float, watchdog: Watchdog) -> Iterator[None]:
    """End this process when what runs meanwhile computes so much longer, or waits, and could not be
    interrupted."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # which Windows has not

        latest = math.ceil(time.process_time() + seconds + LAST_SECONDS)
        resource.setrlimit(
            resource.RLIMIT_CPU, (latest, resource.getrlimit(resource.RLIMIT_CPU)[1])
        )
    watchdog.watch(seconds)
    try:
        yield
    finally:
        watchdog.rest()


class _Text(io.StringIO):
    """Keeps the beginning of what is written to it."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, MAX_PRINTED - self.tell())])
        return len(text)


def _pass_on(requests: BinaryIO, put: Callable[[bytes], None]) -> None:
    for line in requests:
        put(line)
    os._exit(0)
