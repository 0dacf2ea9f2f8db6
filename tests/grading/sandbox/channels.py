"""Ways in which two processes could tell each other something, and what they get across.

The code below is run by both ends, in two sandboxes or as two plain programs. One sends a secret
of 64 bits in each way, the other reads what it can. They need no clock: an end shows how far it is
by the signals that it blocks, which the test reads in /proc, and goes on when the test sends it
one.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

BITS = 64
MARK = 63
"""A signal that only an end blocks."""
COUNTERS = range(40, 50)
"""Signals that are blocked or not as the bits of a number: how many steps an end has made."""

COMMON = '''
import ctypes, fcntl, glob, json, mmap, os, platform, resource, signal, socket, struct, time

libc = ctypes.CDLL(None, use_errno=True)
COLUMN = ["x86_64", "aarch64"].index(platform.machine())
FOLDER = FOLDER or os.path.dirname(__import__("matplotlib").__file__)
FILES = sorted(glob.glob(FOLDER + "/*"))
FILES = [path for path in FILES if os.path.isfile(path) and os.path.getsize(path) >= 1024]
ONES = [k for k in range(64) if SECRET >> k & 1]
held, watches, before = [], [], []
watching, room = -1, 0
MOST_SIGNALS = 600

def call(numbers, *arguments):
    ctypes.set_errno(0)
    made = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(numbers[COLUMN]), *made)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def opened(k, flags=os.O_RDONLY):
    held.append(os.open(FILES[k % len(FILES)], flags))
    return held[-1]

def let_go():
    while held:
        last = held.pop()
        os.close(last) if isinstance(last, int) else last()

def number(bits):
    return sum(bool(bit) << k for k, bit in enumerate(bits))

def each(read):
    """What is read of 64 things, one after the other."""
    found = []
    for k in range(64):
        found.append(read(k))
        let_go()
    return number(found)

def mapped(k):
    libc.mmap.restype = ctypes.c_void_p
    flags = (ctypes.c_size_t(4096), mmap.PROT_READ, mmap.MAP_SHARED, opened(k), ctypes.c_long(0))
    return libc.mmap(None, *flags)

# ---------------------------------------------------------------- locks and marks on shared files

def lock(command, kind, start, descriptor):
    asked = struct.pack("hhqqi4x", kind, 0, start, 1, 0)
    return struct.unpack("hhqqi4x", fcntl.fcntl(descriptor, command, asked))[0]

def send_record_locks(setting=6):
    descriptor = opened(0)
    for k in ONES:
        lock(setting, 0, k, descriptor)

def read_record_locks(getting=5):
    descriptor = opened(0)
    return number(lock(getting, 1, k, descriptor) != 2 for k in range(64))

def send_locks_of_descriptors():
    send_record_locks(37)

def read_locks_of_descriptors():
    return read_record_locks(36)

def send_flock():
    for k in ONES:
        fcntl.flock(opened(k), fcntl.LOCK_SH)

def read_flock():
    def taken(k):
        try:
            fcntl.flock(opened(k), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return each(taken)

def send_leases():
    for k in ONES:
        opened(k)

def read_leases():
    def in_use(k):
        try:
            fcntl.fcntl(opened(k), fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except BlockingIOError:
            return True
    return each(in_use)

def send_write_hints():
    for k in range(64):
        fcntl.fcntl(opened(k), 1036, struct.pack("Q", 2 + (k in ONES)))
        let_go()

def read_write_hints():
    return each(lambda k: fcntl.fcntl(opened(k), 1035, bytes(8))[0] == 3)

def prepare_inotify():
    global watching, watches
    watching = call((294, 26), os.O_NONBLOCK)
    held.append(watching)
    paths = [os.fsencode(path) for path in FILES[:64]]
    watches = [call((254, 27), watching, path, 0x20) for path in paths]

def send_inotify():
    for k in ONES:
        opened(k)

def read_inotify():
    told = os.read(watching, 65536)
    seen = {struct.unpack_from("i", told, k)[0] for k in range(0, len(told), 16)}
    return number(watch in seen for watch in watches)

def send_modes():
    for k in range(64):
        os.chmod(FILES[k % len(FILES)], 0o644 if k in ONES else 0o444)

def read_modes():
    return number(os.stat(path).st_mode & 0o200 for path in FILES[:64])

def prepare_times_of_reading():
    global before
    before = [os.stat(path).st_atime_ns for path in FILES[:64]]

def send_times_of_reading():
    for k in ONES:
        os.read(opened(k), 1)

def read_times_of_reading():
    return number(os.stat(path).st_atime_ns != b for path, b in zip(FILES, before))

def send_times_of_a_device():
    os.utime(DEVICE, (SECRET >> 32, SECRET & 0xFFFFFFFF))

def read_times_of_a_device():
    seen = os.stat(DEVICE)
    return (int(seen.st_atime) << 32 | int(seen.st_mtime)) & (1 << 64) - 1

def send_new_files():
    for place in PLACES:
        for k in ONES:
            try:
                os.close(os.open(f"{place}/{NAME}-{k}", os.O_CREAT | os.O_WRONLY))
                held.append(lambda path=f"{place}/{NAME}-{k}": os.unlink(path))
            except OSError:
                pass

def read_new_files():
    found = [any(os.path.exists(f"{p}/{NAME}-{k}") for p in PLACES) for k in range(64)]
    return number(found)

# ---------------------------------------------------------------- what of files lies in memory

def send_resident_pages():
    for k in range(64):
        os.posix_fadvise(opened(k), 0, 0, os.POSIX_FADV_DONTNEED)
        if k in ONES:
            os.pread(held[-1], 1, 0)
        let_go()

def read_resident_pages():
    def resident(k):
        told, address = ctypes.create_string_buffer(1), mapped(k)
        call((27, 232), address, 4096, told)
        libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(4096))
        return told.raw[0] & 1
    return each(resident)

def read_resident_pages_by_reading():
    def resident(k):
        try:
            return os.preadv(opened(k), [bytearray(1)], 0, os.RWF_NOWAIT) == 1
        except BlockingIOError:
            return False
    return each(resident)

def read_resident_pages_by_counting():
    def resident(k):
        told = (ctypes.c_uint64 * 5)()
        call((451, 451), opened(k), (ctypes.c_uint64 * 2)(0, 4096), told, 0)
        return told[0]
    return each(resident)

def send_names_looked_up():
    for k in ONES:
        os.path.exists(f"{FOLDER}/{NAME}-{k}")

def read_names_looked_up():
    def known(k):
        how = (ctypes.c_uint64 * 3)(os.O_PATH, 0, 0x20)
        try:
            return call((437, 437), -100, os.fsencode(f"{FOLDER}/{NAME}-{k}"), how, 24) < 0
        except FileNotFoundError:
            return True
        except BlockingIOError:
            return False
    return each(known)

# ---------------------------------------------------------------- memory, messages and signals

def futex(address, operation, value=0):
    return call((202, 98), address, operation, value, 0, 0, 0)

def send_futexes():
    address = mapped(0)
    for k in range(64):
        word = address + 8 * k + 4 * (k in ONES)
        futex(word, 0, ctypes.c_int.from_address(word).value)

def read_futexes():
    address, found, patience = mapped(0), [], time.monotonic() + 300
    while len(found) < 64 and time.monotonic() < patience:
        for bit in (0, 1):
            if futex(address + 8 * len(found) + 4 * bit, 1, 1):
                found.append(bit)
                break
    return number(found)

def send_abstract_sockets():
    for k in ONES:
        held.append(socket.socket(socket.AF_UNIX).detach())
        with socket.socket(fileno=os.dup(held[-1])) as bound:
            bound.bind(f"\\0{NAME}-{k}")

def read_abstract_sockets():
    def taken(k):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.bind(f"\\0{NAME}-{k}")
            except OSError as error:
                return error.errno == 98
    return each(taken)

def key(k):
    return KEY + k

def send_shared_memory():
    for k in ONES:
        segment = call((29, 194), key(k), 4096, 0o1600)
        held.append(lambda segment=segment: call((31, 195), segment, 0, 0))

def read_shared_memory():
    def there(k):
        try:
            return call((29, 194), key(k), 0, 0) >= 0
        except FileNotFoundError:
            return False
    return each(there)

def send_message_queues():
    size = (ctypes.c_long * 8)(0, 1, 1)
    for k in ONES:
        name = f"{NAME}-{k}".encode()
        held.append(call((240, 180), name, os.O_CREAT | os.O_RDWR, 0o600, size))
        held.append(lambda name=name: call((241, 181), name))

def read_message_queues():
    def there(k):
        try:
            os.close(call((240, 180), f"{NAME}-{k}".encode(), os.O_RDWR, 0, 0))
            return True
        except FileNotFoundError:
            return False
    return number(there(k) for k in range(64))

def send_signals():
    for k in range(8):
        for _ in range(SECRET >> 8 * k & 255):
            os.kill(PEER, 50 + k)

def read_signals():
    counts = [0] * 8
    for k in range(8):
        while signal.sigtimedwait({50 + k}, 0):
            counts[k] += 1
    return sum(count % 256 << 8 * k for k, count in enumerate(counts))

def let_wait(count):
    for _ in range(count):
        os.kill(os.getpid(), 60)

def waited():
    """How many signals were waiting."""
    count = 0
    while signal.sigtimedwait({60}, 0):
        count += 1
    return count

def room_for_signals():
    let_wait(MOST_SIGNALS + 100)
    return waited()

def prepare_waiting_signals():
    global room
    lower_limits()
    room = room_for_signals()

def send_waiting_signals(part):
    lower_limits()
    let_wait(SECRET >> 8 * part & 255)
    held.append(waited)

def read_waiting_signals(part):
    return room - room_for_signals()

# ---------------------------------------------------------------- in step with the test

SENT_AS = {
    "resident_pages_by_reading": send_resident_pages,
    "resident_pages_by_counting": send_resident_pages,
}
PREPARED = {
    "inotify": prepare_inotify,
    "times_of_reading": prepare_times_of_reading,
    "waiting_signals": prepare_waiting_signals,
}
made = 0

def lower_limits():
    if resource.getrlimit(resource.RLIMIT_SIGPENDING)[1] > MOST_SIGNALS:
        resource.setrlimit(resource.RLIMIT_SIGPENDING, (MOST_SIGNALS, MOST_SIGNALS))

def shows(step):
    own = {signal.SIGUSR1, 63, *range(50, 59), 60}
    bits = {40 + k for k in range(10) if step >> k & 1}
    signal.pthread_sigmask(signal.SIG_SETMASK, own | bits)

def function_for(role, kind):
    """A name that ends in a digit is for a part of what is sent."""
    name, _, part = kind.rpartition("_")
    if part.isdigit():
        return lambda: globals()[f"{role}_{name}"](int(part))
    return globals()[f"{role}_{kind}"]

def waits():
    global made
    made += 1
    shows(made)
    signal.sigwait({signal.SIGUSR1})

def tries(function, *arguments):
    try:
        return function(*arguments)
    except OSError as error:
        return None

def sends():
    for kind in KINDS:
        waits()
        tries(SENT_AS.get(kind) or function_for("send", kind))
        waits()
        let_go()

def reads():
    found = {}
    for kind in KINDS:
        waits()
        tries(PREPARED.get(kind.rstrip("_01234567"), int))
        waits()
        found[kind] = tries(function_for("read", kind))
        let_go()
    print(json.dumps(found))
'''

TOGETHER = ("futexes",)
"""Here the sender waits for the reader, and is not ready before."""
KINDS = (
    "record_locks",
    "locks_of_descriptors",
    "flock",
    "leases",
    "write_hints",
    "inotify",
    "modes",
    "times_of_reading",
    "times_of_a_device",
    "new_files",
    "resident_pages",
    "resident_pages_by_reading",
    "resident_pages_by_counting",
    "names_looked_up",
    "futexes",
    "abstract_sockets",
    "shared_memory",
    "message_queues",
    "signals",
    *(f"waiting_signals_{part}" for part in range(8)),
)


def source(role: str, facts: Mapping[str, Any]) -> str:
    """The code of an end: "sends" or "reads"."""
    told = "\n".join(f"{name} = {value!r}" for name, value in facts.items())
    return f"{told}\n{COMMON}\n{role}()\n"


@dataclass
class End:
    """One of two processes.

    Attributes:
        candidates: what may be that process.
        over: whether it has come to its end.
    """

    candidates: Callable[[], Sequence[psutil.Process]]
    over: Callable[[], bool]
    process: psutil.Process | None = None
    steps: int = 0

    def goes_on(self) -> None:
        """Let it make its next step."""
        assert self.process is not None
        self.steps += 1
        self.process.send_signal(signal.SIGUSR1)

    def reaches(self) -> None:
        """Wait until it has made all steps that it was let make."""
        while not self.over():
            if self._step() == self.steps + 1:
                return
            time.sleep(0.001)
        assert self.steps, "it ended before it began"

    def _step(self) -> int:
        for process in [self.process] if self.process else self.candidates():
            blocked = _blocked(process)
            step = sum(1 << k for k, number in enumerate(COUNTERS) if number in blocked)
            if MARK in blocked and (self.process or step == 1):  # not one of before, which ends
                self.process = process
                return step
        return 0


def exchange(sender: End, reader: End, kinds: Sequence[str] = KINDS) -> None:
    """Lead both ends through all kinds; both start where they wait for their first."""
    for kind in kinds:
        for end in (sender, reader):
            end.reaches()
        reader.goes_on()
        reader.reaches()
        sender.goes_on()
        if kind not in TOGETHER:
            sender.reaches()
        reader.goes_on()
        reader.reaches()
        sender.reaches()
        sender.goes_on()


def _blocked(process: psutil.Process) -> set[int]:
    """The signals that a process blocks."""
    with suppress(OSError):
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("SigBlk:"):
                mask = int(line.split()[1], 16)
                return {k + 1 for k in range(64) if mask >> k & 1}
    return set()
