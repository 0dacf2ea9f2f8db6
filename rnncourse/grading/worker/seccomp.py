"""A filter in the kernel that forbids system calls to a learner's code: those of `calls`.

A forbidden call is answered with EPERM, as if a right were missing. Threads stay. It needs no
namespaces and no rights, and nothing can take it off again.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator, Sequence

from . import event_loop, isolation
from .calls import (
    ALLOW,
    ARCHITECTURES,
    BY_ARGUMENT,
    DONE,
    GRANTED,
    NEWEST,
    NUMBERS,
    ON_ITSELF,
    ON_ITSELF_OR_ZERO,
    REFUSE,
    ByBits,
    ByValue,
)

Instruction = tuple[int, int, int, int]
"""Of the kernel's packet filter: code, jump if true, jump if false, operand."""

_LOAD, _EQUAL, _AT_LEAST, _BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where they lie in what the filter sees
_KILL, _ANSWER = 0x80000000, 0x00050000
_X32 = 0x40000000  # numbers of x86-64's second set of calls begin here
_CLONE_THREAD = 0x00010000
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _SECCOMP_MODE_FILTER = 22, 38, 2


def available() -> bool:
    """Whether there is a table for this machine. Only `install` tells about its kernel."""
    return platform.machine() in ARCHITECTURES and struct.calcsize("P") == 8


def install(threads: bool = True) -> None:
    """From now on, forbid these calls to the process and to all that it may start.

    Args:
        threads: whether new threads are allowed.

    Raises:
        OSError: the kernel has no such filters.
        KeyError: there is no table for this machine.
    """
    event_loop.wake_by_counters()
    code = program(platform.machine(), os.getpid(), threads)
    raw = b"".join(struct.pack("HBBI", *instruction) for instruction in code)
    instructions = ctypes.create_string_buffer(raw)
    header = ctypes.create_string_buffer(
        struct.pack("HxxxxxxQ", len(code), ctypes.addressof(instructions))
    )
    isolation.prctl(_PR_SET_NO_NEW_PRIVS, 1)
    isolation.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(header))


def try_out() -> None:
    """Forbid the calls, and make one.

    Raises:
        OSError: that went through, or they cannot be forbidden.
    """
    install()
    try:
        pid = os.fork()
    except PermissionError:
        return
    if pid == 0:
        os._exit(0)
    raise OSError("a forbidden call went through")


def program(machine: str, process: int, threads: bool) -> list[Instruction]:
    """The filter for a process of this number."""
    column = list(ARCHITECTURES).index(machine)
    numbers = {k: n for k, row in NUMBERS.items() if (n := row[column]) is not None}
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        code += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    code += [(_AT_LEAST, 0, 1, NEWEST + 1), _answer(errno.ENOSYS)]
    for name, number in numbers.items():
        rule = list(_rule(name, process, threads))
        code += [(_EQUAL, 0, len(rule), number), *rule]
    return [*code, (_RETURN, 0, 0, ALLOW)]


def _rule(name: str, process: int, threads: bool) -> Iterator[Instruction]:
    """What to answer to one of the calls. Of an argument the kernel itself reads only the lower
    half in all of these, and that is what is looked at."""
    if name == "clone3":  # its arguments are out of sight; without it, libraries turn to clone
        yield _answer(errno.ENOSYS)
    elif name == "clone" and threads:
        yield from _argument(0, [(_BITS, 0, 1, _CLONE_THREAD)])
    elif name in ON_ITSELF:
        yield from _argument(0, [(_EQUAL, 0, 1, process)])
    elif name in ON_ITSELF_OR_ZERO:
        yield from _argument(0, [(_EQUAL, 1, 0, process), (_EQUAL, 0, 1, 0)])
    elif name in BY_ARGUMENT:
        yield from _by_argument(BY_ARGUMENT[name])
    else:
        yield (_RETURN, 0, 0, DONE if name in GRANTED else REFUSE)


def _by_argument(rule: ByValue | ByBits) -> Iterator[Instruction]:
    yield (_LOAD, 0, 0, _ARGUMENTS + 8 * rule.index)
    if isinstance(rule, ByBits):
        yield (_BITS, 0, 1, rule.bits)
        yield (_RETURN, 0, 0, rule.with_them)
        yield (_RETURN, 0, 0, rule.without)
        return
    for value, answer in rule.answers.items():
        yield (_EQUAL, 0, 1, value)
        yield (_RETURN, 0, 0, answer)
    yield (_RETURN, 0, 0, rule.otherwise)


def _argument(index: int, tests: Sequence[Instruction]) -> Iterator[Instruction]:
    """Look at an argument: whoever gets through the tests is allowed, who jumps over that not."""
    yield (_LOAD, 0, 0, _ARGUMENTS + 8 * index)
    yield from tests
    yield (_RETURN, 0, 0, ALLOW)
    yield _answer(errno.EPERM)


def _answer(number: int) -> Instruction:
    return (_RETURN, 0, 0, _ANSWER | number)
