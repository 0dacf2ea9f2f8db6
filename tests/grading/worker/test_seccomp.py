"""System calls that are forbidden: made for real, by a learner's code in a real worker."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rnncourse.grading.sandbox.bubblewrap import version
from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.worker import seccomp
from rnncourse.grading.worker.calls import (
    ARCHITECTURES,
    BY_ARGUMENT,
    GRANTED,
    NEWEST,
    NUMBERS,
    ON_ITSELF,
    ON_ITSELF_OR_ZERO,
)
from tests.grading.attacks.harm import DESCRIPTORS_SENT
from tests.grading.sandboxes import NOTHING, Impatient, needs_sandbox, printed

MACHINE = platform.machine()
pytestmark = [
    needs_sandbox,
    pytest.mark.skipif(MACHINE not in ARCHITECTURES, reason="there is no table for this machine"),
]

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
DANGEROUS = {
    *("fork", "vfork", "clone", "clone3", "execve"),
    *("execveat", "ptrace", "process_vm_readv", "process_vm_writev", "kcmp"),
    *("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"),
    *("pidfd_open", "pidfd_getfd", "pidfd_send_signal", "setpgid", "setsid"),
    *("personality", "unshare", "setns", "mount", "umount2"),
    *("pivot_root", "chroot", "move_mount", "open_tree", "fsopen"),
    *("fsconfig", "fsmount", "fspick", "mount_setattr", "name_to_handle_at"),
    *("open_by_handle_at", "socket", "socketpair", "connect", "bind"),
    *("listen", "accept", "accept4", "memfd_create", "memfd_secret"),
    *("userfaultfd", "shmget", "shmat", "semget", "msgget"),
    *("mq_open", "add_key", "keyctl", "request_key", "bpf"),
    *("perf_event_open", "io_uring_setup", "io_uring_enter", "io_uring_register", "kexec_load"),
    *("kexec_file_load", "init_module", "finit_module", "delete_module", "fcntl"),
    *("ioctl", "prctl", "flock", "inotify_init1", "inotify_add_watch", "futex", "futex_waitv"),
    *("mincore", "cachestat", "fadvise64", "preadv2", "openat2", "madvise", "readahead"),
    *("statmount", "listmount", "sysinfo", "sendmsg", "setsockopt", "getsockopt", "pipe2"),
    *("mbind", "fchmodat", "utimensat", "fchownat", "setxattr"),
}
"""What no submission may do, always or with some arguments."""
A_FEW = {
    "x86_64": {"clone": 56, "execve": 59, "kill": 62, "ptrace": 101, "socket": 41, "mount": 165},
    "aarch64": {"clone": 220, "execve": 221, "kill": 129, "ptrace": 117, "socket": 198},
}
"""From the manual, for where there are no headers."""

CALL = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    ctypes.set_errno(0)
    if libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)) >= 0:
        return "done"
    return errno.errorcode[ctypes.get_errno()]
"""


def number(name: str) -> int:
    found = NUMBERS[name][list(ARCHITECTURES).index(MACHINE)]
    assert found is not None
    return found


def answer(worker: Worker, name: str, *arguments: int | str) -> str:
    """What a learner's code is answered when it makes a call."""
    made = f"print(call({number(name)}, {', '.join(map(str, arguments))}))"
    return printed(worker, f"{CALL}\n{made}").strip()


# ------------------------------------------------------------------ the table


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_numbers_are_the_kernels_own(machine: str) -> None:
    column = list(ARCHITECTURES).index(machine)
    ours = {name: row[column] for name, row in NUMBERS.items()}
    known = headers(HEADERS[machine]) if HEADERS[machine].exists() else A_FEW[machine]
    compared = set(ours) & set(known)
    assert len(compared) >= len(A_FEW[machine])
    assert {name: ours[name] for name in compared} == {name: known[name] for name in compared}
    if HEADERS[machine].exists():
        newest = max(known.values())  # of an older kernel than ours, it may be
        only_on_others = {name for name, found in ours.items() if found is None or found > newest}
        assert set(ours) - compared == only_on_others
        assert not only_on_others & set(known)
    newer = [row for row in NUMBERS.values() if max(n or 0 for n in row) > 434]
    assert all(first == second for first, second in newer)


def test_nothing_dangerous_is_left_out() -> None:
    assert set(NUMBERS) >= DANGEROUS


def headers(path: Path) -> dict[str, int]:
    """The numbers that a C header defines."""
    defined = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\s", path.read_text("utf-8"))
    return {name: int(found) for name, found in defined if name != "syscalls"}  # how many


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize("threads", [True, False])
def test_every_jump_of_the_filter_stays_in_it(machine: str, threads: bool) -> None:
    code = seccomp.program(machine, 1, threads)
    assert len(code) < 4096
    for k, (operation, if_true, if_false, _) in enumerate(code):
        if operation & 7 == 5:
            assert k + 1 + max(if_true, if_false) < len(code)
    assert code[-1][0] == 6


# ------------------------------------------------------------------ calls that are made


def test_what_is_always_forbidden_is_refused(any_worker: Worker) -> None:
    sometimes = {"clone", "clone3", *GRANTED, *ON_ITSELF, *ON_ITSELF_OR_ZERO, *BY_ARGUMENT}
    column = list(ARCHITECTURES).index(MACHINE)
    rows = NUMBERS.items()
    always = {n: row[column] for n, row in rows if n not in sometimes and row[column] is not None}
    made = (
        f"{CALL}\nimport json\n"
        f"numbers = json.loads('{json.dumps(always)}')\n"
        "print({name: said for name, n in numbers.items() if (said := call(n)) != 'EPERM'})"
    )
    assert printed(any_worker, made) == "{}\n"


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.fork()",
        "import os\nos.execv('/bin/sh', ['sh'])",
        "import os\nos.posix_spawn('/bin/sh', ['sh'], {})",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])",
        "import multiprocessing\nmultiprocessing.Process(target=print).start()",
        "import socket\nsocket.create_connection(('1.1.1.1', 53), 1)",
        "import socket\nsocket.socket(socket.AF_UNIX)",
        "import socket\nsocket.socketpair()",
        "import socket, os\nsocket.send_fds(socket.socket(fileno=os.dup(3)), [b'a'], [0])",
        "import os\nos.pipe()",
        "import fcntl\nfcntl.flock(open('/dev/zero'), fcntl.LOCK_SH)",
        "import fcntl\nfcntl.fcntl(open('/dev/zero'), 5, bytes(32))  # F_GETLK",
        "import fcntl\nfcntl.fcntl(open('/dev/zero'), 36, bytes(32))  # F_OFD_GETLK",
        "import fcntl\nfcntl.fcntl(open('/dev/zero'), 37, bytes(32))  # F_OFD_SETLK",
        "import fcntl\nfcntl.fcntl(open('/dev/zero'), fcntl.F_SETLEASE, fcntl.F_RDLCK)",
        "import fcntl\nfcntl.fcntl(open('/dev/zero'), fcntl.F_GETLEASE)",
        "import fcntl, os\nfcntl.fcntl(os.open('/', 0), fcntl.F_NOTIFY, fcntl.DN_ACCESS)",
        "import fcntl\nfcntl.fcntl(open('/dev/zero'), 1031, 1 << 20)  # F_SETPIPE_SZ",
        "import fcntl\nfcntl.fcntl(open('/dev/zero'), 1035, bytes(8))  # F_GET_RW_HINT",
        "import fcntl\nfcntl.ioctl(3, 0x8910, bytes(40))  # SIOCGIFNAME: the host's network",
        "import os\nos.posix_fadvise(os.open('/dev/zero', 0), 0, 0, os.POSIX_FADV_DONTNEED)",
        "import os\nos.preadv(os.open('/dev/zero', 0), [bytearray(1)], 0, os.RWF_NOWAIT)",
        "import mmap\nmmap.mmap(-1, 2 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANON | 0x40000)",
        "import mmap\nmmap.mmap(-1, 8192).madvise(21)  # MADV_PAGEOUT",
        "import os\nos.memfd_create('a')",
        "import os\nos.setsid()",
        "import os\nos.chroot('/tmp')",
        "import os\nos.kill(os.getppid(), 0)",
        "import os\nos.kill(0, 0)",
        "import os\nos.kill(-1, 0)",
        "import os\nos.nice(5)",
        "import os, fcntl\nfcntl.fcntl(3, fcntl.F_SETOWN, 2)",
        "import os, fcntl\nfcntl.fcntl(3, 10, 9)  # F_SETSIG",
        "import os, fcntl, struct\nfcntl.ioctl(3, 0x8901, struct.pack('i', 2))  # FIOSETOWN",
        "import os, fcntl, termios\nfcntl.ioctl(os.openpty()[1], termios.TIOCSTI, b'a')",
        "import resource, os\nresource.prlimit(os.getpid() + 1, resource.RLIMIT_CPU)",
        "import os\nos.sched_setaffinity(os.getpid() + 1, {0})",
    ],
)
def test_pythons_own_ways_are_refused(worker: Worker, source: str) -> None:
    said = printed(worker, source)
    assert "Operation not permitted" in said or "[Errno 1]" in said


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nawait asyncio.sleep(0)\nprint('fine')",
        "import asyncio\nasync def f(k): await asyncio.sleep(0.001 * k); return k\n"
        "assert await asyncio.gather(*map(f, range(5))) == list(range(5))\nprint('fine')",
        "import asyncio\nloop = asyncio.new_event_loop()\nloop.call_soon_threadsafe(loop.stop)\n"
        "loop.run_forever()\nloop.close()\nprint('fine')",
        "import sqlite3\nfor name in ('a.db', ':memory:'):\n"
        "    with sqlite3.connect(name) as book:\n"
        "        book.execute('create table t(a)')\n"
        "        book.execute('insert into t values(1)')\n"
        "    assert book.execute('select a from t').fetchall() == [(1,)]\nprint('fine')",
        "import sqlite3\nbook = sqlite3.connect('b.db')\n"
        "assert book.execute('pragma journal_mode=wal').fetchone() == ('wal',)\nprint('fine')",
        "import shutil, zipfile\nopen('a', 'w').write('a')\nshutil.copy2('a', 'b')\n"
        "zipfile.ZipFile('c', 'w').write('a')\nshutil.unpack_archive('c', 'd', 'zip')\n"
        "print('fine')",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
        "for kind in ('png', 'pdf', 'svg'): plt.savefig('a.' + kind)\n"
        "print('fine')",
        "import torch\ntorch.save(torch.ones(3), 'a.pt')\nassert torch.load('a.pt').sum() == 3\n"
        "layer = torch.nn.LSTM(2, 3)\nlayer(torch.ones(4, 2))[0].sum().backward()\nprint('fine')",
        "import os\nassert not os.isatty(1)\nopen('a', 'w').close()\nos.utime('a')\nprint('fine')",
        "import os, signal\nsignal.signal(10, lambda *a: print('fine'))\nos.kill(os.getpid(), 10)",
        "import os\nos.sched_setaffinity(0, os.sched_getaffinity(0))\nprint('fine')",
        "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (9, 9))\nprint('fine')",
        "import tempfile\nwith tempfile.TemporaryFile() as f: f.write(b'a')\nprint('fine')",
        "import torch\ntorch.set_num_threads(4)\ntorch.ones(900, 900) @ torch.ones(900, 900)\n"
        "print('fine')",
    ],
)
def test_what_honest_code_may_need_goes_on(worker: Worker, source: str) -> None:
    assert printed(worker, source) == "fine\n"


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio, time\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool: print(list(pool.map(abs, range(-3, 0))))\n"
        "print(asyncio.run(asyncio.to_thread(abs, -1)))",
        "import ctypes, time\nlibc, thread = ctypes.CDLL(None), ctypes.c_ulong()\n"
        "body = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda _: time.sleep(0.1))\n"
        "assert libc.pthread_create(ctypes.byref(thread), None, body, None) == 0\n"
        "assert libc.pthread_join(thread, None) == 0\nprint([3, 2, 1])\nprint(1)",
    ],
    ids=["Python", "C"],
)
def test_threads_are_waited_for(source: str) -> None:
    """Also by C, which waits for them at a futex that is not private. A program of its own forbids
    the calls to itself, as a worker of root's allows no threads."""
    install = "from rnncourse.grading.worker import seccomp\nseccomp.install()\n"
    command = [sys.executable, "-c", install + source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[3, 2, 1]\n1\n", "")


def test_devices_stay_as_they_are(
    worker: Worker, crowded_worker: Worker, unfiltered_worker: Worker
) -> None:
    """They are the host's, and often belong to whoever grades."""
    change = (
        "import os\n"
        "def seen(path): s = os.stat(path); return s.st_mode, s.st_atime_ns, s.st_mtime_ns\n"
        "for name in ('null', 'zero', 'full', 'random', 'urandom', 'tty'):\n"
        "    path = '/dev/' + name\n"
        "    before = seen(path)\n"
        "    for change in (lambda: os.utime(path, (7, 7)), lambda: os.chmod(path, 0o644)):\n"
        "        try: change()\n"
        "        except OSError: pass\n"
        "    if seen(path) != before: print(name)\n"
        "with open('/dev/null', 'w') as sink: sink.write('a')\n"
        "print(len(os.urandom(3)), len(open('/dev/urandom', 'rb').read(3)))"
    )
    for each in (worker, crowded_worker, unfiltered_worker):
        assert printed(each, change) == "3 3\n"


def test_what_the_kernel_keeps_is_limited(any_worker: Worker) -> None:
    timers = (
        f"{CALL}\nimport platform\n"
        "number = {'x86_64': 222, 'aarch64': 107}[platform.machine()]\n"
        "made = ctypes.c_int()\n"
        "for count in range(10_000):\n"
        "    if call(number, 1, 0, ctypes.addressof(made)) != 'done': break\n"
        "print(count <= 64)\n"
        "import resource\n"
        "print(resource.getrlimit(resource.RLIMIT_MSGQUEUE), resource.getrlimit(8))"
    )
    assert printed(any_worker, timers) == "True\n(0, 0) (0, 0)\n"


def test_threads_are_allowed_where_they_are_counted(any_worker: Worker) -> None:
    many = (
        "import threading, time\n"
        "started = []\n"
        "def start():\n"
        "    thread = threading.Thread(target=time.sleep, args=(10**6,), daemon=True)\n"
        "    thread.start()\n"
        "    started.append(thread)\n"
        "try:\n"
        "    for _ in range(200): start()\n"
        "except RuntimeError as error: print(error)\n"
        "print(len(started))"
    )
    error, count = printed(any_worker, many).split("\n")[:2]
    assert error == "can't start new thread"
    assert int(count) < 64


def test_clone_makes_no_process_whatever_else_it_shares(worker: Worker) -> None:
    sharing = 0x100 | 0x200 | 0x400  # memory, file system, files: what a thread shares as well
    for flags in (17, sharing | 17, sharing | 0x4000 | 17):  # the last as vfork does it
        assert answer(worker, "clone", flags, 0, 0, 0, 0) == "EPERM"
    assert answer(worker, "clone3", 0, 0) == "ENOSYS"


@pytest.mark.parametrize("option", [1, 35, 62, 67, 0x59616D61])
def test_some_commands_are_refused(worker: Worker, option: int) -> None:
    assert answer(worker, "prctl", option, 0, 0, 0, 0) == "EPERM"
    assert answer(worker, "prctl", option | 1 << 40, 0, 0, 0, 0) == "EPERM"  # it reads 32 bits


def test_a_call_that_nobody_knew_is_not_there(worker: Worker) -> None:
    for unknown in (NEWEST + 1, 700, 5000):
        assert printed(worker, f"{CALL}\nprint(call({unknown}))") == "ENOSYS\n"


def test_the_filter_cannot_be_taken_off(worker: Worker) -> None:
    allow_all = (
        "import struct\n"
        "code = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7FFF0000))\n"
        "head = struct.pack('HxxxxxxQ', 1, ctypes.addressof(code))\n"
        "head = ctypes.create_string_buffer(head)\n"
        "print(libc.prctl(22, 2, ctypes.addressof(head), 0, 0))\nos.fork()"
    )
    assert "Operation not permitted" in printed(worker, f"{CALL}\n{allow_all}")


@pytest.mark.skipif(MACHINE != "x86_64", reason="only x86-64 has other sets of calls")
@pytest.mark.parametrize(
    "source",
    [
        f"{CALL}\ncall(0x40000000 | 39)",  # x32
        # getpid of 32-bit programs: mov eax, 20; int 0x80; ret
        "import ctypes, mmap\n"
        "code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)\n"
        "code.write(bytes.fromhex('b814000000cd80c3'))\n"
        "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()",
    ],
    ids=["x32", "32 bits"],
)
def test_another_architecture_ends_the_process(worker: Worker, source: str) -> None:
    said = printed(worker, source)
    assert "its process ended with exit status" in said
    assert said.endswith(("159", "139"))  # bad system call, or a kernel without 32-bit calls


# ------------------------------------------------------------------ a kernel that cannot


def test_without_filters_the_layer_is_missing_and_said(unfiltered_worker: Worker) -> None:
    layers = f"bubblewrap {version()}+namespaces+rlimits"
    assert str(unfiltered_worker.layers) == layers
    assert "Not on this machine: seccomp" in unfiltered_worker.layers.in_words()
    assert unfiltered_worker.run(["1"], NOTHING).layers == layers


def test_descriptors_that_are_sent_to_the_grader_cost_their_sender(
    unfiltered_worker: Worker,
) -> None:
    """Where the kernel cannot forbid it."""
    sent = "import os\n" + DESCRIPTORS_SENT.replace("attempt(socket.send_fds, ", "socket.send_fds(")
    assert unfiltered_worker.run([sent], NOTHING, Impatient()).cells[0].error
    assert printed(unfiltered_worker, "print('fine')") == "fine\n"
