"""What a process gives up before it runs a learner's code.

Namespaces, mounts and capabilities are Linux's own and are reached through the C library, since
Python has names for them only from 3.12 on.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

SCRATCH_BYTES = 32 << 20
SCRATCH_FILES = 2000
FILE_BYTES = 16 << 20
OPEN_FILES = 64
PROCESSES = 64
PENDING_SIGNALS = 64
DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
"""Those that bubblewrap mounts from the host."""

_CLONE_NEWNS = 0x00020000
_CLONE_NEWIPC = 0x08000000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWPID = 0x20000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND = 32, 4096
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 1, 4, 36
_CAPABILITY_VERSION_3 = 0x20080522
_MADV_COLLAPSE = 25
_HUGE_PAGE = 2 << 20
_WAIT = "import os; os._exit(os.waitstatus_to_exitcode(os.wait()[1]) & 255)"

_KEPT_BY_THE_KERNEL = {
    "RLIMIT_SIGPENDING": PENDING_SIGNALS,
    "RLIMIT_MSGQUEUE": 0,
    "RLIMIT_MEMLOCK": 0,
    "RLIMIT_NICE": 0,
    "RLIMIT_RTPRIO": 0,
}
"""Limits that Linux alone has. Signals that wait are counted for all processes of a user."""

_libc = ctypes.CDLL(None, use_errno=True)


def forbid_inspection(forbidden: bool = True) -> None:
    """Let no other process of the same user read this one's memory, environment or descriptors."""
    prctl(_PR_SET_DUMPABLE, 0 if forbidden else 1)


def adopt_orphans() -> None:
    """Become the parent of every process below whose own parent ends."""
    prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """End when the parent does, whatever ends it."""
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def become_keeper() -> None:
    """Go on in a new process that can give each child namespaces of its own: it is the first of a
    process namespace that belongs to its own user namespace. The process before only waits from
    then on.

    Raises:
        OSError: the kernel does not allow it, or there are threads. The process may be half
            changed then.
    """
    _new_user(_CLONE_NEWPID)
    if os.fork():
        os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", _WAIT])
    die_with_parent()


class ProcessNamespaces:
    """Forks children that are alone, each the first process of a namespace of its own. For the
    process that `become_keeper` made."""

    def __init__(self) -> None:
        self._own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    def fork(self) -> int:
        """Like os.fork.

        Raises:
            OSError: it cannot be done.
        """
        _call(_libc.unshare(_CLONE_NEWPID))
        pid = os.fork()
        if pid:
            _call(_libc.setns(self._own, _CLONE_NEWPID))
        return pid


def leave_others() -> None:
    """In a child of `ProcessNamespaces`: own users without any right, own mounts, own System V
    memory; an empty /tmp of limited size, where the process is from now on, nothing under /proc,
    and devices whose owner, mode and times stay as they are."""
    _new_user(_CLONE_NEWNS | _CLONE_NEWIPC)
    nothing_special = _MS_NOSUID | _MS_NODEV
    size = f"size={SCRATCH_BYTES},nr_inodes={SCRATCH_FILES},mode=700"
    _mount("/tmp", nothing_special | _MS_NOEXEC, size)  # nor libraries brought along as data
    _mount("/proc", nothing_special | _MS_NOEXEC | _MS_RDONLY, "size=4k,nr_inodes=1,mode=555")
    _protect_devices()
    os.chdir("/tmp")
    _drop_capabilities()
    _limit(resource.RLIMIT_NPROC, PROCESSES)


def succeeds(attempt: Callable[[], None]) -> bool:
    """Whether something can be done here without an error. A process of its own tries it."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1] == 0
    run_and_exit(attempt)


def try_namespaces() -> None:
    """Do all that a child with its own namespaces needs, in a process that is not needed again."""
    become_keeper()
    pid = ProcessNamespaces().fork()
    if pid == 0:
        leave_others()
    elif os.waitpid(pid, 0)[1] != 0:
        raise OSError("the child could not be isolated")


def try_too_many_processes() -> None:
    """Start more processes than a limit allows. Linux does not hold root to that limit."""
    _limit(resource.RLIMIT_NPROC, 1)
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)


def keep_only(link: socket.socket) -> socket.socket:
    """Close every descriptor but one, which gets the number 3; 0 to 2 lead nowhere."""
    if link.fileno() != 3:
        os.dup2(link.detach(), 3)
        link = socket.socket(fileno=3)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    return link


def limit(address_space: int, seconds: int) -> None:
    """Set limits that no later code can raise: bytes of memory (0 for none), seconds of CPU time,
    sizes and numbers of files, and what the kernel keeps for a process."""
    if address_space:
        _limit(resource.RLIMIT_AS, address_space)
    _limit(resource.RLIMIT_CPU, seconds)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, FILE_BYTES)
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    for name, value in _KEPT_BY_THE_KERNEL.items():
        if hasattr(resource, name):
            _limit(getattr(resource, name), value)


def address_space() -> int:
    """Bytes of address space in use; most of them are libraries. 0 where there is no /proc: on
    systems without it a limit on address space does not hold anyway."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0


def use_huge_pages() -> None:
    """Gather this process's memory in large pages where the kernel can: to fork it, and to end what
    was forked, then costs a fraction. It changes nothing else."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return
    for line in maps.read_text().splitlines():
        span, access, _, _, _, *name = line.split()
        if "w" not in access or name not in ([], ["[heap]"]):
            continue
        start, end = (int(address, 16) for address in span.split("-"))
        start, end = -(-start // _HUGE_PAGE) * _HUGE_PAGE, end // _HUGE_PAGE * _HUGE_PAGE
        if start < end:
            _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_COLLAPSE)


def end_children() -> None:
    """End every child of this process and every orphan that it has adopted; wait for all."""
    listed = Path("/proc/thread-self/children")
    while True:
        for pid in listed.read_text().split() if listed.exists() else ():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def run_and_exit(body: Callable[[], None]) -> NoReturn:
    """Run in a forked process, which must not go on where its parent was."""
    status = 1
    try:
        body()
        status = 0
    finally:
        os._exit(status)


def exit_status(status: int) -> int:
    """Of a process that was waited for: 128 + n after signal n."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def prctl(option: int, *arguments: int) -> None:
    """Raises: OSError."""
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    _call(_libc.prctl(option, *padded))


def _new_user(others: int) -> None:
    """Make a user namespace, with the same user and all rights in it, and `others` within it."""
    user, group = os.getuid(), os.getgid()
    forbid_inspection(False)  # the maps of a process that nobody may inspect belong to root
    _call(_libc.unshare(_CLONE_NEWUSER | others))
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path("/proc/self", name).write_text(content)


def _drop_capabilities() -> None:
    """Give up what a new user namespace grants."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    _call(_libc.capset(header, none))


def _limit(kind: int, value: int) -> None:
    resource.setrlimit(kind, (value, value))


def _protect_devices() -> None:
    """Make the device files read-only, as files: what is written to them is read or lost as ever.
    They are the host's own, and often belong to the user who grades."""
    for name in DEVICES:
        device = f"/dev/{name}"
        flags = _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _mount_flags(device)
        _call(_libc.mount(None, device.encode(), None, flags, None))


def _mount_flags(path: str) -> int:
    """How a mounted file is mounted. These flags have the same values in both calls, and a mount
    must keep them."""
    return os.statvfs(path).f_flag & (_MS_NOSUID | _MS_NODEV | _MS_NOEXEC)


def _mount(folder: str, flags: int, options: str) -> None:
    _call(_libc.mount(b"tmpfs", folder.encode(), b"tmpfs", flags, options.encode()))


def _call(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
