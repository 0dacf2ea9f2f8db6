"""Attacks that cost others something: the grader's life, its memory, its time, its terminal."""

from __future__ import annotations

from collections.abc import Mapping

from .attack import HONEST_PART, KERNEL, Attack
from .forgery import returning

CELL_AND_NOTHING = ("x = 1",)


def in_function(line: str) -> dict[str, str]:
    """An lstm_cell that does this first."""
    return {"lstm_cell": returning("h, c", "\n".join(f"    {each}" for each in line.split("\n")))}


def calls(name: str, line: str, deserves: Mapping[str, float] = HONEST_PART) -> Attack:
    """An attack in the function, in each call."""
    return Attack(name, CELL_AND_NOTHING, in_function(line), deserves)


def runs(name: str, source: str, deserves: Mapping[str, float] = HONEST_PART) -> Attack:
    """An attack in a cell of its own."""
    return Attack(name, (source,), deserves=deserves)


MEMORY = """
kept = []
try:
    while True:
        kept.append(bytearray(64 << 20))
        kept[-1][::4096] = b"x" * len(kept[-1][::4096])
except MemoryError:
    kept.clear()
import mmap
for _ in range(100):
    kept.append(attempt(mmap.mmap, -1, 256 << 20))
descriptor = attempt(os.memfd_create, "a")
if descriptor:
    for _ in range(200):
        attempt(os.write, descriptor, bytes(16 << 20))
kept.clear()
"""

PROCESSES = """
def forks():
    for _ in range(300):
        if os.fork() == 0:
            attempt(os.setsid)
            time.sleep(1000)
attempt(forks)
attempt(lambda: [subprocess.Popen(["sleep", "1000"]) for _ in range(300)])
attempt(lambda: os.posix_spawn("/bin/sleep", ["sleep", "1000"], {}))
"""

DAEMON = (
    KERNEL
    + """
def stay():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 65):
                attempt(signal.signal, number, signal.SIG_IGN)
            while True:
                leave("/tmp/pwned")
                time.sleep(0.1)
        os._exit(0)
attempt(stay)
libc.syscall(435, None, 0)
libc.clone(None, None, 0)
"""
)

THREADS = """
kept = []
def wait():
    time.sleep(1000)
def start():
    for _ in range(100_000):
        thread = threading.Thread(target=wait)
        thread.start()
        kept.append(thread)
attempt(start)
"""

KILLS = """
for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL):
    for process in (os.getppid(), 0, *range(2, 100)):
        if process != os.getpid():
            attempt(os.kill, process, number)
            attempt(os.killpg, process, number)
    attempt(os.kill, -1, number)
"""

OWNER_OF_SIGNALS = """
import fcntl
for owner in (os.getppid(), 1, -1, 2, 3):
    attempt(fcntl.fcntl, 3, fcntl.F_SETOWN, owner)
    attempt(fcntl.fcntl, 3, 10, signal.SIGKILL)
    attempt(fcntl.fcntl, 3, fcntl.F_SETFL, os.O_ASYNC)
attempt(fcntl.fcntl, 3, fcntl.F_SETFL, 0)
"""

FILES = """
def many():
    for k in range(300_000):
        os.mkdir(f"folder {k}")
def large():
    with open("large", "wb") as file:
        while True:
            file.write(bytes(8 << 20))
def many_large():
    for k in range(1000):
        with open(f"large {k}", "wb") as file:
            file.write(bytes(8 << 20))
def sparse():
    with open("sparse", "wb") as file:
        file.truncate(1 << 50)
for way in (many, large, many_large, sparse):
    attempt(way)
"""

AT_EXIT = (
    KERNEL
    + """
import atexit, weakref
class Last:
    def __del__(self):
        leave(COURSE + "/pwned"), leave(HOME + "/pwned"), leave("/tmp/pwned")
last = Last()
atexit.register(Last().__del__)
threading._register_atexit(Last().__del__)
weakref.finalize(last, leave, COURSE + "/pwned")
libc.atexit(ctypes.CFUNCTYPE(None)(Last().__del__))
"""
)

OUTPUT = """
for _ in range(3000):
    print("x" * 100_000)
    sys.stderr.write("y" * 100_000)
os.write(1, b"z" * 10_000_000)
from IPython.display import display, HTML
for _ in range(300):
    display(HTML("<p>" * 10_000))
"""

FIGURES = """
import matplotlib.pyplot as plt
for _ in range(60):
    plt.figure(figsize=(2, 2))
    plt.plot([1, 2])
attempt(lambda: (plt.figure(figsize=(3000, 3000)), plt.plot([1, 2]), plt.show()))
plt.show()
"""

PIPE_FULL = """
descriptor = os.dup(3)
os.set_blocking(descriptor, False)
attempt(lambda: [os.write(descriptor, b"\\x00" * 65536) for _ in range(10_000)])
os.set_blocking(descriptor, True)
"""

SHUT = """
import socket
with socket.socket(fileno=os.dup(3)) as link:
    link.shutdown(socket.SHUT_RDWR)
os.close(3)
"""

DESCRIPTORS_SENT = """
import socket
with socket.socket(fileno=os.dup(3)) as link:
    for _ in range(50):
        attempt(socket.send_fds, link, [b"\\x00"], [0, 1] * 100)
"""

HEADERS = {
    "deep": 'b"[" * 900_000 + b"]" * 100_000',
    "huge_number": 'b\'{"arrays": [], "cells": \' + b"9" * 900_000 + b"}"',
    "shape_of_huge_numbers": 'b\'{"arrays": [["a", "float32", [\' + b"9" * 4000 + b"]]]}"',
    "twice_the_same": 'b\'{"arrays": [], "arrays": null, "problem": {"a": NaN}}\'',
    "not_text": 'b"\\xff\\xfe" * 1000',
    "other_types": 'b\'{"arrays": [[["a"], {}, null]], "problem": 1, "error": [], "notes": 1}\'',
}

MARKUP = "[/bold] [link=file:///etc/passwd]click[/link] [red]{evil}[/] [@click=app.quit]x"
ESCAPE = (
    "\\x1b]0;owned\\x07\\x1b[2J\\x1b[31mred\\x9b31m\\u202eright to left\\u2066\\u0000\\ud800\\r\\n"
)
SCRIPT = "</script></pre></code><script>pwned()</script><img src=x onerror=pwned()>"

SPEECHLESS = """
class Silent(Exception):
    def __str__(self): os._exit(3)
    __repr__ = __str__
class Angry(BaseException):
    def __str__(self): raise self
    def __getattribute__(self, name): raise KeyboardInterrupt
class Long(Exception):
    def __str__(self): return "x" * 50_000_000
"""

CHAIN = """
error = None
for k in range(50_000):
    before, error = error, ValueError(k)
    error.__cause__ = before
"""

HARM = [
    calls("exits", "import os; os._exit(0)"),
    runs("exits_in_a_cell", "os._exit(0)"),
    calls("leaves_python", "import sys; sys.exit(0)"),
    runs("leaves_python_in_a_cell", "sys.exit(0)"),
    calls("keyboard_interrupt", "raise KeyboardInterrupt"),
    calls("generator_exit", "raise GeneratorExit"),
    calls("crashes", "import ctypes; ctypes.string_at(0)"),
    calls("takes_memory", "kept = [torch.ones(1 << 22) for _ in range(10_000)]"),
    runs("takes_memory_in_a_cell", MEMORY),
    runs("starts_processes", PROCESSES),
    runs("leaves_a_daemon", DAEMON),
    runs("starts_threads", THREADS),
    runs("kills", KILLS),
    runs("owner_of_signals", OWNER_OF_SIGNALS),
    runs("fills_the_disk", FILES),
    runs("writes_at_exit", AT_EXIT),
    runs("output_without_end", OUTPUT),
    runs("figures_without_end", FIGURES),
    runs("fills_the_pipe", PIPE_FULL, {}),
    runs("shuts_the_line", SHUT, {}),
    *(
        runs(
            f"header_{name}",
            f"raw = {raw}\nos.write(3, struct.pack('<II', len(raw), 0) + raw)\n",
            {},
        )
        for name, raw in HEADERS.items()
    ),
    Attack("silent_error", (SPEECHLESS,), in_function("raise Silent")),
    Attack("angry_error", (SPEECHLESS,), in_function("raise Angry")),
    Attack("long_error", (SPEECHLESS,), in_function("raise Long")),
    Attack("chained_errors", (CHAIN,), in_function("raise error")),
    runs("says_markup", f"print({MARKUP!r})\nraise ValueError({MARKUP!r})"),
    runs("says_script", f"print({SCRIPT!r})\nraise ValueError({SCRIPT!r})"),
    runs("says_escapes", f'print("{ESCAPE}")\nraise ValueError("{ESCAPE}")'),
    runs(
        "displays_script",
        f"from IPython.display import HTML, Javascript, Markdown, display\n"
        f"display(HTML({SCRIPT!r}), Javascript('pwned()'), Markdown({SCRIPT!r}))",
    ),
    runs("parser_of_python", "-" * 70_000 + "1"),
    runs("brackets_without_end", "(" * 70_000),
]
"""Cheap ones, which end by themselves."""

SHOWN = [
    calls("markup_as_error", f"raise ValueError({MARKUP!r})"),
    calls("escapes_as_error", f'raise ValueError("{ESCAPE}")'),
    calls("script_as_error", f"raise ValueError({SCRIPT!r})"),
    Attack(
        "markup_as_name_of_error",
        (f"Evil = type({MARKUP!r}, (Exception,), {{}})",),
        in_function("raise Evil"),
    ),
]
"""Those whose words the terminal shows."""

ENDLESS = [
    calls(
        "recurses",
        "import sys; sys.setrecursionlimit(10**9)\nlstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh)",
    ),
    runs("sends_descriptors", DESCRIPTORS_SENT),
    calls("endless_loop", "while True: pass"),
    runs("endless_cell", "while True: pass"),
    calls("endless_in_c", "import re; re.match('(a+)+$', 'a' * 60 + 'b')"),
    runs(
        "ignores_signals",
        "for n in range(1, 65):\n    attempt(signal.signal, n, lambda *a: None)\nwhile True: pass",
    ),
    calls(
        "trickles",
        "import os, time\nos.write(3, bytes([255, 0, 0, 0, 0, 0, 0, 0]))\n"
        "for _ in range(200): os.write(3, b' '); time.sleep(0.05)",
    ),
    calls("sleeps", "import time; time.sleep(1000)"),
    runs("sleeps_in_a_cell", "time.sleep(1000)"),
    calls(
        "stops_itself", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)\nwhile True: pass"
    ),
    # Right on what comes first, and then no end: what was right must not be paid.
    Attack(
        "partly_and_then_endless",
        ("asked = 0",),
        {
            "pack_gates": "@fill\ndef pack_gates(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):\n"
            "    global asked\n    asked += 1\n    while asked > 6: pass\n"
            "    H = len(b_f)\n    packed = torch.cat([w_i, w_f, w_c, w_o])\n"
            "    bias = torch.cat([b_i, b_f, b_c, b_o])\n"
            "    return packed[:, H:], packed[:, :H], bias, torch.zeros_like(bias)\n"
        },
    ),
]
"""Those that cost the whole time that a submission has."""

HUGE = """
@fill
def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return torch.zeros(2_000_000), torch.zeros(2_000_000)
@fill
def lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    return torch.zeros(1_300_000), (torch.zeros(1_300_000), torch.zeros(1_300_000))
@fill
def unpack_gates(w_ih, w_hh, b_ih, b_hh):
    return [torch.zeros(500_000)] * 8
"""

RESULTS = {
    "no_axes": "return b_ih.sum(), b_hh.sum()",
    "no_numbers": "return b_ih[:0], b_hh[:0]",
    "a_column_and_a_row": "return torch.ones(9_000, 1), torch.ones(1, 9_000)",
    "eight_axes": "return torch.ones([1] * 8), torch.ones([1] * 8)",
    "nine_axes": "return torch.ones([1] * 9), torch.ones([1] * 9)",
    "booleans": "return b_ih > 0, b_hh > 0",
    "whole_numbers": "return b_ih.long(), b_hh.long()",
    "complex_numbers": "return b_ih + 1j, b_hh + 1j",
    "huge_numbers": "return b_ih.double() * 1e308, b_hh.double() * 1e308",
    "on_no_device": "return b_ih.to('meta'), b_hh.to('meta')",
    "sparse": "return b_ih.to_sparse(), b_hh.to_sparse()",
    "expanded": "return torch.ones(1).expand(1 << 40), b_hh",
    "a_list_in_itself": "kept = [b_ih]; kept.append(kept); return kept",
    "a_million_tuples": "x = b_ih\n    for _ in range(10**6): x = (x,)\n    return x",
}

OF_RIGHT_SHAPE = ("booleans", "whole_numbers", "huge_numbers")

RESULTS_OF_ALL_KINDS = [
    Attack(
        f"returns_{name}",
        answers={
            "set_forget_bias": f"@fill\ndef set_forget_bias(b_ih, b_hh, value):\n    {line}\n"
        },
        deserves={"set_forget_bias": 0.2} if name in OF_RIGHT_SHAPE else {},
    )
    for name, line in RESULTS.items()
] + [
    Attack(f"returns_much_{k}", answers={"lstm_cell": HUGE.strip()}, deserves={}) for k in range(3)
]
