"""Attacks that look for what a learner must not see. Secrets are planted in every place where they
look; see `classroom`."""

from __future__ import annotations

from .attack import KERNEL, Attack

GRADEBOOK = """
for depth in range(9):
    for name in ("gradebook.db", "*/gradebook.db", "secret.txt", "records/*"):
        for path in glob.glob("../" * depth + name):
            loot(path)
            hunt(read, path)
import sqlite3
for path in ("gradebook.db", "../../gradebook.db", COURSE + "/gradebook.db"):
    hunt(lambda: b"".join(map(str.encode, sqlite3.connect(f"file:{path}?mode=ro").iterdump())))
"""

RESTORED_TESTS = """
for folder in (".", COURSE + "/autograded", COURSE + "/source", COURSE + "/release"):
    for here, _, names in os.walk(folder):
        for name in names:
            if name.endswith((".ipynb", ".py")):
                loot(here, name)
"""

HISTORY = """
shell = get_ipython()
lines = list(shell.user_ns.get("_ih", [])) + list(shell.user_ns.get("In", []))
lines += [line[2] for line in shell.history_manager.get_range()]
lines += [str(value) for value in shell.user_ns.get("_oh", {}).values()]
for line in lines:
    if "check" in line or "assert" in line:
        loot(line)
"""

OBJECTS = """
import gc
secret = ("tests", "tools", "nbgrader", "rnncourse.grading.hidden_test",
          "rnncourse.grading.solutions", "rnncourse.grading.sandbox.host")
for module in sorted(sys.modules):
    if module.startswith(secret):
        loot(module)
import importlib
for module in ("tools.answers.lstm", "rnncourse.grading.solutions", "rnncourse.grading.hidden_test",
               "rnncourse.grading.course", "rnncourse.grading.gradebook.gradebook"):
    if attempt(importlib.import_module, module):
        loot(module)
sys.modules.pop("gc")
import gc  # anew, as its ways to list objects are taken away
gc.unfreeze()
for thing in gc.get_objects():
    if type(thing).__name__ in ("HiddenTest", "Solutions", "Gradebook", "Exam", "Checkout"):
        loot(type(thing))
frame = sys._getframe()
while frame:
    for name in ("expected", "solution", "hidden_test", "seed", "cases", "class_calls"):
        if name in frame.f_locals:
            loot(name, frame)
    frame = frame.f_back
"""

ENVIRONMENT = (
    KERNEL
    + """
for key, value in os.environ.items():
    if TOKEN in key + value:
        loot(key, value)
environ = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
for k in range(1000):
    if not environ[k]:
        break
    if TOKEN.encode() in environ[k]:
        loot(environ[k])
for process in ["self", "thread-self", *range(100)]:
    for name in ("environ", "cmdline", "root/" + COURSE + "/secret.txt", "cwd/../../gradebook.db"):
        hunt(read, f"/proc/{process}/{name}")
"""
)

MEMORY = (
    KERNEL
    + """
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

buffer = ctypes.create_string_buffer(8)
here, there = Vector(ctypes.addressof(buffer), 8), Vector(ctypes.addressof(buffer), 8)
for process in [os.getppid(), *range(1, 100)]:
    if process in (0, os.getpid()):
        continue
    if libc.process_vm_readv(process, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) == 8:
        loot("memory of", process)
    if libc.ptrace(0x4206, process, 0, 0) == 0:
        loot("traced", process)
    if attempt(open, f"/proc/{process}/mem", "rb"):
        loot("memory file of", process)
    descriptor = attempt(os.pidfd_open, process)
    if descriptor is not None:
        loot("descriptor of", process)
"""
)

CLASSMATES = (
    KERNEL
    + """
import contextlib, io, mmap
import numpy

names = ["bystander_1", "bystander_2"]
paths = [f"{COURSE}/submitted/{name}/lstm/lstm.ipynb" for name in names]
paths += [COURSE + "/secret.txt", HOME + "/secret.txt", "../../bystander_1/lstm/lstm.ipynb"]

def mapped(path):
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)[:]

def linked(path):
    os.symlink(path, "link")
    return read("link")

def hard_linked(path):
    os.link(path, "hard link")
    return read("hard link")

def by_torch(path):
    return bytes(torch.UntypedStorage.from_file(path, False, os.path.getsize(path)))

def by_c(path):
    libc.fopen.restype = ctypes.c_void_p
    file, raw = libc.fopen(path.encode(), b"r"), ctypes.create_string_buffer(1_000_000)
    return raw.raw[:libc.fread(raw, 1, len(raw), ctypes.c_void_p(file))] if file else b""

for path in paths:
    for way in (read, mapped, linked, hard_linked, by_torch, by_c):
        hunt(way, path)
    hunt(lambda: numpy.fromfile(path, dtype="uint8").tobytes())
    hunt(lambda: subprocess.run(["cat", path], capture_output=True).stdout)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        attempt(get_ipython().getoutput, f"cat {path}")
        attempt(get_ipython().run_line_magic, "cat", path)
    hunt(said.getvalue().encode)
"""
)

WHOLE_DISK = """
seen = 0
for here, folders, names in os.walk("/"):
    skip = ("usr", "site", "sys", "proc") if here == "/" else ()
    folders[:] = [name for name in folders if name not in skip]
    for name in names:
        seen += 1
        path = os.path.join(here, name)
        if seen < 5000 and os.path.isfile(path):
            hunt(read, path)
for path in (HOME, "/root", "/home", "/etc", "/tmp", "/var", "/dev/shm", COURSE):
    for name in attempt(os.listdir, path) or ():
        hunt(read, os.path.join(path, name))
        if "secret" in name or "gradebook" in name:
            loot(path, name)
"""

# What is asked later.
HIDDEN_INPUTS = """
sys.modules.pop("gc")
import gc
gc.unfreeze()
for thing in gc.__dict__["get_objects"]():
    if type(thing) is dict and len(thing) > 3 and "w_ih" in thing and "b_ih" in thing:
        if all(isinstance(value, torch.Tensor) for value in thing.values()):
            if len(thing["w_ih"].unique()) > 2:  # not what the worker warms up with
                loot(list(thing), thing["w_ih"][0].tolist())
    if type(thing) is bytes and len(thing) > 10_000 and b"cotangent of" in thing[:5000]:
        loot(thing[:200])
"""

SHARED_MEMORY = (
    KERNEL
    + """
for key in (0x5EED,):
    segment = libc.shmget(key, 0, 0)
    if segment >= 0:
        loot("a segment of memory", segment)
for name in attempt(os.listdir, "/dev/shm") or ():
    loot(name)
KEYCTL, ADD_KEY = (250, 248) if os.uname().machine == "x86_64" else (219, 217)
found = libc.syscall(KEYCTL, 10, -3, b"user", b"rnncourse", 0)
if found > 0:
    buffer = ctypes.create_string_buffer(200)
    libc.syscall(KEYCTL, 11, found, buffer, 200)
    loot("a key", buffer.value)
"""
)

NETWORK = """
import socket
def reach(family, kind, address):
    with socket.socket(family, kind) as out:
        out.settimeout(1)
        if kind == socket.SOCK_STREAM:
            out.connect(address)
            out.sendall(b"from a learner")
        else:
            out.sendto(b"from a learner", address)
    return True

for host in ("127.0.0.1", "localhost", "0.0.0.0"):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        attempt(reach, socket.AF_INET, kind, (host, PORT))
attempt(reach, socket.AF_INET6, socket.SOCK_STREAM, ("::1", PORT))
for name in (f"\\0rnncourse-{PORT}", HOME + "/socket"):
    attempt(reach, socket.AF_UNIX, socket.SOCK_STREAM, name)
import urllib.request
attempt(urllib.request.urlopen, f"http://127.0.0.1:{PORT}/", None, 1)
"""

DESCRIPTORS = """
import socket, stat
for descriptor in range(3000):
    mode = attempt(os.fstat, descriptor)
    if mode and descriptor > 3:
        loot("descriptor", descriptor, mode)
with socket.socket(fileno=os.dup(3)) as link:
    if link.family != socket.AF_UNIX or link.getpeername() or link.getsockname():
        loot(link)
    pair = link.getsockopt(socket.SOL_SOCKET, 17, 12)
    if struct.unpack("iii", pair)[0]:
        loot("the number of a process outside", pair)
"""

ESCAPES = (
    KERNEL
    + """
for name, arguments in {
    "unshare": (0x10000000,),
    "mount": (b"a", b"/tmp", b"tmpfs", 0, None),
    "umount2": (b"/proc", 2),
    "chroot": (b"/tmp",),
    "setns": (3, 0),
    "open_by_handle_at": (3, None, 0),
    "memfd_create": (b"a", 0),
    "setuid": (0,),
    "sethostname": (b"a", 1),
}.items():
    if getattr(libc, name)(*arguments) >= 0:
        loot(name)
for number in (425, 321, 323, 428, 430):
    if os.uname().machine == "x86_64" and libc.syscall(number, 0, 0, 0, 0) >= 0:
        loot("system call", number)
if attempt(os.open, "/dev/mem", os.O_RDONLY) or attempt(os.open, "/dev/kmsg", os.O_RDONLY):
    loot("devices")
"""
)

READS = {
    "the_gradebook": GRADEBOOK,
    "restored_hidden_tests": RESTORED_TESTS,
    "history": HISTORY,
    "objects_and_modules": OBJECTS,
    "hidden_inputs": HIDDEN_INPUTS,
    "environment_of_parents": ENVIRONMENT,
    "memory_of_others": MEMORY,
    "files_of_classmates": CLASSMATES,
    "the_whole_disk": WHOLE_DISK,
    "shared_memory_and_keys": SHARED_MEMORY,
    "the_network": NETWORK,
    "open_descriptors": DESCRIPTORS,
    "ways_out": ESCAPES,
}

READING = [Attack(f"reads_{name}", (source,), looks=True) for name, source in READS.items()]
