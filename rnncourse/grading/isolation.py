"""What a process gives up before it runs a learner's code.

Namespaces, mounts and capabilities are Linux's own and are reached through the C library, since
Python has names for them only from 3.12 on.
"""

from __future__ import annotations

import ctypes
import os
import resource
import socket
from pathlib import Path

SCRATCH_BYTES = 32 << 20
SCRATCH_FILES = 2000
FILE_BYTES = 16 << 20
OPEN_FILES = 64
PROCESSES = 64

_CLONE_NEWNS = 0x00020000
_CLONE_NEWIPC = 0x08000000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWPID = 0x20000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_SIGKILL = 9
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def forbid_inspection(forbidden: bool = True) -> None:
    """Let no other process of the same user read this one's memory, environment or descriptors."""
    _call(_libc.prctl(_PR_SET_DUMPABLE, 0 if forbidden else 1, 0, 0, 0))


def die_with_parent() -> None:
    """End when the parent does, whatever ends it."""
    _call(_libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0))


def new_namespaces() -> None:
    """Leave the other processes: own users, mounts and System V memory. The next process that is
    forked is the first of a process namespace, with which all that it starts will end."""
    user, group = os.getuid(), os.getgid()
    forbid_inspection(False)  # the maps of a process that nobody may inspect belong to root
    _call(_libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWIPC | _CLONE_NEWPID))
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path("/proc/self", name).write_text(content)


def private_folders() -> None:
    """In new namespaces: an empty /tmp of limited size, where the process is from now on, and
    nothing under /proc."""
    nothing_special = _MS_NOSUID | _MS_NODEV
    _mount("/tmp", nothing_special, f"size={SCRATCH_BYTES},nr_inodes={SCRATCH_FILES},mode=700")
    _mount("/proc", nothing_special | _MS_NOEXEC | _MS_RDONLY, "size=4k,nr_inodes=1,mode=555")
    os.chdir("/tmp")


def drop_capabilities() -> None:
    """Give up what a new user namespace grants."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    _call(_libc.capset(header, none))


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
    and sizes and numbers of files."""
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: FILE_BYTES,
        resource.RLIMIT_NOFILE: OPEN_FILES,
    }
    if address_space:
        limits[resource.RLIMIT_AS] = address_space
    for kind, value in limits.items():
        resource.setrlimit(kind, (value, value))


def address_space() -> int:
    """Bytes of address space in use; most of them are libraries. 0 where there is no /proc: on
    systems without it a limit on address space does not hold anyway."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0


def limit_processes() -> None:
    """In a new user namespace, limit processes and threads. Root's are not counted by Linux."""
    resource.setrlimit(resource.RLIMIT_NPROC, (PROCESSES, PROCESSES))


def _mount(folder: str, flags: int, options: str) -> None:
    _call(_libc.mount(b"tmpfs", folder.encode(), b"tmpfs", flags, options.encode()))


def _call(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
