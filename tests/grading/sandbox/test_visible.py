"""What a learner's code can see of the instructor's machine: looked for from inside."""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
from pathlib import Path

import pytest

import rnncourse
from rnncourse.grading.sandbox import launch
from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.sandbox.job import ClassCalls
from rnncourse.grading.sandbox.launch import WORKER
from tests.grading.sandboxes import needs_sandbox, printed, small

pytestmark = needs_sandbox

ROOT = Path(rnncourse.__file__).parents[1]
PYTHON = Path(sys.base_prefix)
PLACES = (
    *("/course/rnncourse/", "/dev/", "/etc/alternatives/", "/site/", "/usr/share/zoneinfo/"),
    *("/lib/", "/lib32/", "/lib64/", "/libx32/"),
    *("/usr/lib/", "/usr/lib32/", "/usr/lib64/", "/usr/libx32/", f"{PYTHON}/lib/"),
)
"""Where a child may find files: the course's package, Python and what is installed with it, the
system's libraries."""
FILES = {"/etc/ld.so.cache", launch._base_python()}

FIND = """
import os
def files():
    for folder, _, names in os.walk('/'):
        for name in names:
            yield os.path.join(folder, name)
"""


def test_every_file_is_in_a_place_where_it_may_be(any_worker: Worker) -> None:
    places = PLACES if "namespaces" in any_worker.layers.names else (*PLACES, "/tmp/", "/proc/")
    strangers = (
        f"{FIND}\nplaces, known = {places!r}, {FILES!r}\n"
        "print([f for f in files() if not f.startswith(places) and f not in known])"
    )
    assert printed(any_worker, strangers) == "[]\n"


def test_no_test_solution_or_other_file_of_the_checkout_is_there(plain_worker: Worker) -> None:
    """Compared by content, so that no other name or place hides it."""
    hidden = [
        path
        for folder in ("tests", "solutions", "rnncourse/grading", "book")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in (".py", ".ipynb", ".md", ".json", ".html", ".db")
    ]
    seen = {*(ROOT / "rnncourse" / WORKER).iterdir()}
    sums = {
        hashlib.sha256(path.read_bytes()).hexdigest(): path.stat().st_size
        for path in hidden
        if path not in seen and path.stat().st_size > 50
    }
    assert len(sums) > 20
    search = (
        f"{FIND}\nimport hashlib, json\n"
        f"sums = json.loads('{json.dumps(sums)}')\n"
        "sizes = set(sums.values())\n"
        "def is_hidden(path):\n"
        "    try:\n"
        "        if os.path.getsize(path) not in sizes or not os.path.isfile(path): return False\n"
        "        return hashlib.sha256(open(path, 'rb').read()).hexdigest() in sums\n"
        "    except OSError: return False\n"
        "print([path for path in files() if is_hidden(path)])"
    )
    assert printed(plain_worker, search) == "[]\n"


def test_of_the_grader_there_is_what_the_worker_runs(plain_worker: Worker) -> None:
    packages = (
        f"{FIND}\nprint(sorted(f for f in files() if '/rnncourse/grading/' in f\n"
        "             and not f.endswith('.pyc')))\n"
        "print([f for f in files() if f.endswith(('gradebook.db', 'seed.json'))\n"
        "       and '/nbgrader/tests/' not in f])"
    )
    modules = sorted(path.name for path in (ROOT / "rnncourse" / WORKER).glob("*.py"))
    expected = [f"/course/rnncourse/{WORKER}/{name}" for name in modules]
    assert printed(plain_worker, packages) == f"{expected}\n[]\n"


def test_homes_hold_nothing_but_python(plain_worker: Worker) -> None:
    home = Path.home()
    look = (
        f"{FIND}\nhome, python = {f'{home}/'!r}, {f'{PYTHON}/'!r}\n"
        "print([f for f in files() if f.startswith((home, '/home/', '/root/', '/Users/'))\n"
        "       and not f.startswith(python)])"
    )
    assert printed(plain_worker, look) == "[]\n"


# ------------------------------------------------------------------ a secret

SEARCH = """
import os, stat, sys
sys.modules.pop('gc')
import gc  # anew, as its ways to list objects are taken away
secret = {head!r} + {tail!r}  # in two parts: this source must not be found
def holds(content):
    return secret in content if isinstance(content, str) else secret.encode() in content
found = [name for name, value in os.environ.items() if holds(name + value)]
for folder, _, names in os.walk('/'):
    found += [os.path.join(folder, n) for n in names if holds(n)]
    for path in (os.path.join(folder, n) for n in names):
        try:
            info = os.lstat(path)
            if stat.S_ISREG(info.st_mode) and (info.st_ctime > {since} or info.st_size == 0):
                with open(path, 'rb') as file:
                    found += [path] if holds(file.read(1 << 20)) else []
        except OSError:
            pass
found += [k for k, v in list(vars(sys).items()) if isinstance(v, (str, bytes)) and holds(v)]
for thing in gc.get_objects():
    values = thing.values() if type(thing) is dict else thing if type(thing) is list else ()
    found += [type(thing) for v in values if isinstance(v, (str, bytes)) and holds(v)]
print('found', found)
"""
"""A new secret can only be in files that have changed since, or that a kernel makes up (they have
no size)."""


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Something that only the instructor has: in the environment, at home, in the course folder
    with its gradebook and other learners' work, in the folder where the grader is started."""
    word = f"squirrel{secrets.token_hex(8)}"
    home = tmp_path / "home"
    places = [
        home / ".netrc",
        home / ".ssh" / "id",
        tmp_path / "course" / "gradebook.db",
        tmp_path / "course" / "records" / "lstm" / "seed.json",
        tmp_path / "course" / "submitted" / "ada" / "lstm" / "lstm.ipynb",
        tmp_path / "course" / "submitted" / "ada" / "lstm" / word,
    ]
    for path in places:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"before {word} after", encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GRADEBOOK_PASSWORD", word)
    monkeypatch.setenv(word, "a name")
    monkeypatch.chdir(tmp_path / "course")
    return word


def test_a_secret_of_the_instructors_is_nowhere(secret: str, class_calls: ClassCalls) -> None:
    started = Path.cwd().stat().st_ctime - 1
    search = SEARCH.format(head=secret[:10], tail=secret[10:], since=started)
    with Worker(small()) as fresh:
        fresh.run([f"kept = '{secret} of a learner before'"], class_calls)
        assert printed(fresh, search) == "found []\n"


def test_the_search_finds_what_is_there(secret: str, tmp_path: Path) -> None:
    """Where somebody lets it in."""
    started = Path.cwd().stat().st_ctime - 1
    search = SEARCH.format(head=secret[:10], tail=secret[10:], since=started)
    let_in = ("--ro-bind", str(tmp_path / "course"), "/dev/shm", "--setenv", "WORD", secret)
    with Worker(small(*let_in)) as open_one:
        said = printed(open_one, search)
    assert "'WORD'" in said
    assert "/dev/shm/gradebook.db" in said
    assert f"/dev/shm/submitted/ada/lstm/{secret}" in said


def test_no_memory_of_another_process_can_be_read(any_worker: Worker) -> None:
    read = (
        "import ctypes, os\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "libc.ptrace.restype = libc.process_vm_readv.restype = ctypes.c_long\n"
        "buffer = ctypes.create_string_buffer(64)\n"
        "piece = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 64)\n"
        "tasks = '/proc/self/task'\n"
        "own = {int(name) for name in os.listdir(tasks)} if os.path.isdir(tasks) else set()\n"
        "for pid in {*range(1, 60), os.getppid()} - {os.getpid(), 0, *own}:\n"
        "    for attach in (16, 0x4206):  # PTRACE_ATTACH, PTRACE_SEIZE\n"
        "        if libc.ptrace(attach, pid, None, None) != -1: print('attached', pid)\n"
        "    if libc.process_vm_readv(pid, piece, 1, piece, 1, 0) != -1: print('read', pid)\n"
        "    for name in ('mem', 'environ', 'maps', 'root', 'cwd'):\n"
        "        try:\n"
        "            os.close(os.open(f'/proc/{pid}/{name}', os.O_RDONLY))\n"
        "            print('opened', pid, name)\n"
        "        except OSError: pass"
    )
    assert printed(any_worker, read) == ""


def test_memory_that_is_not_a_childs_own_is_limited(worker: Worker) -> None:
    source = "import mmap\nprint(len(mmap.mmap(-1, {})))"
    assert printed(worker, source.format(100 << 20)) == f"{100 << 20}\n"
    assert "Cannot allocate memory" in printed(worker, source.format(3 << 30))
    assert "Operation not permitted" in printed(worker, "import os\nos.memfd_create('a')")
    assert "File too large" in printed(worker, "open('a', 'wb').truncate(64 << 20)")
