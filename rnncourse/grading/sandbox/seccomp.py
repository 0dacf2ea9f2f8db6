"""Which of Linux's system calls a learner's code may not make.

A filter in the kernel answers a forbidden call with EPERM, as if a right were missing. What is
forbidden: other processes, other programs, the network, memory without a limit, and every part of
the kernel that a learner's function has no use for. Threads and pairs of sockets (`await` needs
one) stay. It needs no namespaces and no rights, and nothing can take it off again.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator, Sequence

from . import isolation

Instruction = tuple[int, int, int, int]
"""Of the kernel's packet filter: code, jump if true, jump if false, operand."""

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""The kernel's own numbers for them (AUDIT_ARCH)."""

NEWEST = 462
"""The last call that was known when this was written. Later ones have the same number on every
architecture, and are answered as a kernel does that lacks them."""

NUMBERS: dict[str, tuple[int | None, int | None]] = {
    # Other processes and programs
    "clone": (56, 220),
    "clone3": (435, 435),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "kcmp": (312, 272),
    "kill": (62, 129),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "prlimit64": (302, 261),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    # Groups of processes, and their share of the machine
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "personality": (135, 92),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "setpgid": (109, 154),
    "setpriority": (141, 140),
    "setsid": (112, 157),
    # The network
    "accept": (43, 202),
    "accept4": (288, 242),
    "bind": (49, 200),
    "connect": (42, 203),
    "listen": (50, 201),
    "socket": (41, 198),
    "socketpair": (53, 199),
    # Memory that is shared or not counted
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mq_getsetattr": (245, 185),
    "mq_notify": (244, 184),
    "mq_open": (240, 180),
    "mq_timedreceive": (243, 183),
    "mq_timedsend": (242, 182),
    "mq_unlink": (241, 181),
    "msgctl": (71, 187),
    "msgget": (68, 186),
    "msgrcv": (70, 188),
    "msgsnd": (69, 189),
    "semctl": (66, 191),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmdt": (67, 197),
    "shmget": (29, 194),
    "userfaultfd": (323, 282),
    # Namespaces, mounts and files by handle
    "chroot": (161, 51),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "pivot_root": (155, 41),
    "setns": (308, 268),
    "umount2": (166, 39),
    "unshare": (272, 97),
    # Keys
    "add_key": (248, 217),
    "keyctl": (250, 219),
    "request_key": (249, 218),
    # Large parts of the kernel that nothing here needs
    "bpf": (321, 280),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "io_setup": (206, 0),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "perf_event_open": (298, 241),
    # The machine itself
    "acct": (163, 89),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "init_module": (175, 105),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "lookup_dcookie": (212, 18),
    "modify_ldt": (154, None),
    "nfsservctl": (180, 42),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "sync": (162, 81),
    "syncfs": (306, 267),
    "syslog": (103, 116),
    "uselib": (134, None),
    "vhangup": (153, 58),
    # Allowed, but for some of their commands
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "prctl": (157, 167),
}
"""Calls that are forbidden, always or with some arguments: x86-64's number and aarch64's."""

ON_ITSELF = ("kill", "tgkill", "tkill")
"""Allowed when the first argument is the caller's process number."""
ON_ITSELF_OR_ZERO = (
    "prlimit64",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
    "sched_setscheduler",
)
"""Zero means the caller too."""
COMMANDS = {
    "fcntl": (1, (8, 10, 15)),  # F_SETOWN, F_SETSIG, F_SETOWN_EX: signals to others
    "ioctl": (1, (0x8901, 0x8902, 0x5412, 0x541C)),  # FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX
    "prctl": (0, (1, 35, 0x59616D61)),  # PR_SET_PDEATHSIG, PR_SET_MM, PR_SET_PTRACER
}
"""Values of an argument that are forbidden where others are not."""

_LOAD, _EQUAL, _AT_LEAST, _BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where they lie in what the filter sees
_ALLOW, _KILL, _ANSWER = 0x7FFF0000, 0x80000000, 0x00050000
_X32 = 0x40000000  # numbers of x86-64's second set of calls begin here
_AF_UNIX = 1
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
    return [*code, (_RETURN, 0, 0, _ALLOW)]


def _rule(name: str, process: int, threads: bool) -> Iterator[Instruction]:
    """What to answer to one of the calls. Of an argument the kernel itself reads only the lower
    half in all of these, and that is what is looked at."""
    if name == "clone3":  # its arguments are out of sight; without it, libraries turn to clone
        yield _answer(errno.ENOSYS)
    elif name == "clone" and threads:
        yield from _argument(0, [(_BITS, 0, 1, _CLONE_THREAD)])
    elif name == "socketpair":
        yield from _argument(0, [(_EQUAL, 0, 1, _AF_UNIX)])
    elif name in ON_ITSELF:
        yield from _argument(0, [(_EQUAL, 0, 1, process)])
    elif name in ON_ITSELF_OR_ZERO:
        yield from _argument(0, [(_EQUAL, 1, 0, process), (_EQUAL, 0, 1, 0)])
    elif name in COMMANDS:
        index, values = COMMANDS[name]
        forbidden = [(_EQUAL, len(values) - k, 0, value) for k, value in enumerate(values)]
        yield from _argument(index, forbidden)
    else:
        yield _answer(errno.EPERM)


def _argument(index: int, tests: Sequence[Instruction]) -> Iterator[Instruction]:
    """Look at an argument: whoever gets through the tests is allowed, who jumps over that not."""
    yield (_LOAD, 0, 0, _ARGUMENTS + 8 * index)
    yield from tests
    yield (_RETURN, 0, 0, _ALLOW)
    yield _answer(errno.EPERM)


def _answer(number: int) -> Instruction:
    return (_RETURN, 0, 0, _ANSWER | number)
