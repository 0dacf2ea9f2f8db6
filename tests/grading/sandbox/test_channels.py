"""Two sandboxes at the same time cannot tell each other anything: what one reads is the same
whatever the other sends. Two plain programs can, in every one of these ways."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.sandbox.limits import Limits
from tests.grading.sandbox.channels import BITS, KINDS, End, exchange, source
from tests.grading.sandboxes import NOTHING, needs_sandbox, processes, small

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these are Linux's")

PATIENT = Limits(submission=3000)
ALL = (1 << BITS) - 1
OTHERS = 8
"""Signals that may wait in other processes of the user: the kernel counts all together."""


def facts(secret: int, kinds: tuple[str, ...] = KINDS) -> dict[str, Any]:
    """What both ends know, and the secret, which the reader does not use."""
    return {
        "SECRET": secret,
        "KINDS": list(kinds),
        "NAME": f"channel-{os.getpid()}-{secrets.token_hex(4)}",
        "KEY": secrets.randbelow(1 << 30),
    }


# ------------------------------------------------------------------ two sandboxes


@pytest.fixture(scope="module")
def reader() -> Iterator[Worker]:
    """A second sandbox beside the others."""
    with Worker(small()) as started:
        yield started


@needs_sandbox
def test_no_bit_passes_between_two_sandboxes(
    worker: Worker, crowded_worker: Worker, reader: Worker
) -> None:
    secret = secrets.randbits(BITS)
    read = passed(worker, reader, secret)
    assert set(read) == set(KINDS)
    assert passed(worker, reader, secret ^ ALL) == read
    assert passed(crowded_worker, reader, secrets.randbits(BITS)) == read


def passed(sender: Worker, reader: Worker, secret: int) -> dict[str, int | None]:
    """What a sandbox reads while another sends, by kind."""
    known = facts(secret) | {
        "FOLDER": "",
        "DEVICE": "/dev/zero",
        "PLACES": ["/tmp", "/dev/shm", "/dev", "/var/tmp", "/", "/site/0"],
        "PEER": 1,
    }
    said: dict[str, str] = {}

    def run(worker: Worker, role: str) -> None:
        cell = worker.run([source(role, known)], NOTHING, PATIENT).cells[0]
        said[role] = cell.error or cell.output

    threads = [
        threading.Thread(target=run, args=(worker, role), daemon=True)
        for worker, role in ((sender, "sends"), (reader, "reads"))
    ]
    for thread in threads:
        thread.start()
    ends = [
        End(partial(in_sandbox, worker), lambda thread=thread: not thread.is_alive())
        for worker, thread in zip((sender, reader), threads, strict=True)
    ]
    exchange(*ends)
    for thread in threads:
        thread.join()
    assert said["sends"] == "", said["sends"]
    found: dict[str, int | None] = json.loads(said["reads"])
    return found


def in_sandbox(worker: Worker) -> list[psutil.Process]:
    """What runs in a worker's sandbox, which may be just starting."""
    if worker._process is None:
        return []
    with suppress(psutil.Error):
        return processes(worker)
    return []


# ------------------------------------------------------------------ two plain programs


SHOWN_ALONE = (
    "times_of_reading",
    "times_of_a_device",
    "write_hints",
    "resident_pages",
    "resident_pages_by_reading",
    "resident_pages_by_counting",
    "names_looked_up",
    "message_queues",
)
"""Not every file system and kernel has these: one program alone tells whether this machine does."""


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, int | None], Path]:
    """What a program sent, what another read, by kind, and the folder that both saw."""
    folder, secret = tmp_path_factory.mktemp("shared"), secrets.randbits(BITS)
    known = facts(secret) | in_plain(folder)
    reader = program(source("reads", known))
    sender = program(source("sends", known | {"PEER": reader.pid}))
    ends = [
        End(lambda one=one: [psutil.Process(one.pid)], lambda one=one: one.poll() is not None)
        for one in (sender, reader)
    ]
    exchange(*ends)
    said, _ = reader.communicate()
    assert sender.wait() == reader.returncode == 0
    return secret, json.loads(said), folder


@pytest.mark.parametrize("kind", KINDS)
def test_outside_the_sandbox_all_bits_pass(
    control: tuple[int, dict[str, int | None], Path], kind: str
) -> None:
    secret, found, folder = control
    part = kind.rpartition("_")[2]
    wanted = secret >> 8 * int(part) & 255 if part.isdigit() else secret
    if found[kind] != wanted and kind in SHOWN_ALONE and not shown_alone(kind, folder):
        pytest.skip("this kernel or file system does not tell that")
    others = OTHERS if kind.startswith("waiting_signals") else 0
    assert found[kind] == pytest.approx(wanted, abs=others, rel=0)


def shown_alone(kind: str, folder: Path) -> bool:
    """Whether a program sees what it has done itself."""
    known = facts(secrets.randbits(BITS), (kind,)) | in_plain(folder)
    alone = source("", known).rpartition("\n()")[0] + (
        f"\nPREPARED.get('{kind}', int)()\n"
        f"(SENT_AS.get('{kind}') or globals()['send_{kind}'])()\n"
        f"print(read_{kind}() == SECRET)\n"
    )
    return program(alone).communicate()[0] == "True\n"


def in_plain(folder: Path) -> dict[str, Any]:
    """Where two plain programs meet. All is written to the disk, so that it can leave memory, and
    was last read long ago, as some file systems note only that."""
    for k in range(BITS):
        path = folder / f"file-{k:02}"
        path.write_bytes(bytes(8192))
        with path.open("rb") as file:
            os.fsync(file.fileno())
        os.utime(path, (1, 2))
    place = folder / "place"
    place.mkdir(exist_ok=True)
    device = place / "device"
    device.touch()
    return {"FOLDER": str(folder), "DEVICE": str(device), "PLACES": [str(place)], "PEER": 0}


def program(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code], stdout=subprocess.PIPE, text=True
    )
