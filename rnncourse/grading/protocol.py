"""Frames between the grader and the sandbox: a JSON header and raw arrays, and no pickle.

On the wire: the lengths of header and body as two little-endian 32-bit numbers, the header, the
body. The header's "arrays" lists the arrays of the body in order: name, dtype and shape of each.
Whatever a frame claims is checked before anything is allocated for it. A deadline is an instant of
time.monotonic() for the whole frame, so that a peer that trickles bytes gains nothing.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Any, get_args, get_type_hints

import torch
from torch import Tensor

from ..checks.drivers import COTANGENT, DRIVERS, GRADIENT, Arrays, Outcome, Problem, leaves
from ..checks.plan import Case

MAX_HEADER = 1 << 20
MAX_BODY = 1 << 24
MAX_ARRAYS = 64
MAX_AXES = 8
MAX_NAME = 100
MAX_TEXT = 500
"""Characters kept of a message from the sandbox."""
MAX_OUTPUT = 2000
"""Characters kept of what a cell prints and displays."""

START, END = b"s", b"e"
"""What the host sends a worker: START with a socket for a new child, END to end it."""

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (torch.float16, torch.float32, torch.float64, torch.int64, torch.bool)
}
KINDS = get_args(get_type_hints(Problem)["kind"])

_LENGTHS = struct.Struct("<II")
_CHUNK = 1 << 20


class ProtocolError(ValueError):
    """The other side sent what it should not have. The message says what."""


@dataclass
class Frame:
    """One message: a header that is a JSON object, and arrays by name."""

    header: dict[str, Any]
    arrays: Arrays = field(default_factory=dict)


def send(peer: socket.socket, frame: Frame, deadline: float | None = None) -> None:
    """Send a frame.

    Raises:
        ProtocolError: it is over a limit, or has an array that cannot travel.
        TimeoutError: the deadline passed.
        OSError: the other side has gone.
    """
    listed = []
    body = bytearray()
    for name, array in frame.arrays.items():
        if hindrance := cannot_travel(array):
            raise ProtocolError(f"{name} {hindrance}.")
        listed.append([name, str(array.dtype).removeprefix("torch."), list(array.shape)])
        body += array.numpy(force=True).tobytes()
    header = json.dumps({**frame.header, "arrays": listed}).encode()
    if len(header) > MAX_HEADER or len(body) > MAX_BODY:
        raise ProtocolError("the message is too long.")
    _set_timeout(peer, deadline)
    peer.sendall(_LENGTHS.pack(len(header), len(body)) + header + body)


def receive(peer: socket.socket, deadline: float | None = None) -> Frame:
    """Receive a frame.

    Raises:
        ProtocolError: what came is no frame, or one over a limit.
        TimeoutError: the deadline passed before the whole frame was there.
        EOFError, OSError: the other side has gone.
    """
    header_length, body_length = _LENGTHS.unpack(_read(peer, _LENGTHS.size, deadline))
    if header_length > MAX_HEADER or body_length > MAX_BODY:
        raise ProtocolError("a message is too long.")
    header = _header(_read(peer, header_length, deadline))
    layout = _layout(header.pop("arrays", None), body_length)
    return Frame(header, _arrays(layout, _read(peer, body_length, deadline)))


def cannot_travel(array: Tensor) -> str:
    """Why a tensor cannot be sent, as the end of a sentence on it; "" when it can."""
    if array.dtype not in DTYPES.values():
        return f"has the dtype {str(array.dtype).removeprefix('torch.')}"
    if array.is_nested or array.layout != torch.strided or array.is_meta:
        return "is not an ordinary tensor with numbers in it"
    if array.ndim > MAX_AXES:
        return f"has {array.ndim} axes"
    if array.numel() * array.itemsize > MAX_BODY:
        return f"is too large: it has {array.numel()} numbers"
    return ""


def clean(value: object, limit: int = MAX_TEXT) -> str:
    """A string from the sandbox, cut, and without control characters and half surrogates.

    Raises:
        ProtocolError: it is no string.
    """
    if not isinstance(value, str):
        raise ProtocolError("something that should be text is not.")
    kept = "".join(c for c in value[:limit] if c.isprintable() or c in "\n\t")
    return kept + "…" if len(value) > limit else kept


def outcome_frame(outcome: Outcome) -> Frame:
    """The frame that carries an outcome out of the sandbox."""
    for name, array in outcome.arrays.items():
        if hindrance := cannot_travel(array):
            return outcome_frame(Outcome(problem=Problem("result", f"{name} {hindrance}.")))
    header = {
        "problem": _problem_pair(outcome.problem),
        "gradient_problem": _problem_pair(outcome.gradient_problem),
        "changed": list(outcome.changed),
    }
    return Frame(header, outcome.arrays)


def read_outcome(frame: Frame, case: Case) -> Outcome:
    """The outcome in a frame that a learner's process sent for a case.

    It is complete: unless it has a problem, it has every result, and every gradient that was asked
    for or a gradient problem. What is left out must not pass for right.

    Raises:
        ProtocolError: it is not what the case's driver gives.
    """
    problem = _problem(frame.header.get("problem"))
    if problem:
        return Outcome(problem=problem)
    gradient_problem = _problem(frame.header.get("gradient_problem"))
    asked_for = {} if gradient_problem else _gradients(case)
    expected = {*leaves(DRIVERS[case.driver].structure), *asked_for}
    if set(frame.arrays) != expected:
        raise ProtocolError("the results are not those that were asked for.")
    for name, value in asked_for.items():
        if frame.arrays[name].shape != value.shape or frame.arrays[name].dtype != value.dtype:
            raise ProtocolError(f"the {name} does not have its shape and dtype.")
    changed = frame.header.get("changed")
    if not isinstance(changed, list):
        raise ProtocolError("the list of changed inputs is missing.")
    known = tuple(name for name in case.arrays if name in changed)
    return Outcome(frame.arrays, gradient_problem=gradient_problem, changed=known)


def _gradients(case: Case) -> Arrays:
    """What a case's driver gives a gradient of, under the gradients' names."""
    if not any(name.startswith(COTANGENT) for name in case.arrays):
        return {}
    return {
        GRADIENT + name: value
        for name, value in case.arrays.items()
        if value.is_floating_point()
        and not name.startswith(COTANGENT)
        and name not in DRIVERS[case.driver].scalars
    }


def _problem_pair(problem: Problem | None) -> list[str] | None:
    return [problem.kind, clean(problem.text)] if problem else None


def _problem(value: object) -> Problem | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2 or value[0] not in KINDS:
        raise ProtocolError("a problem is not of a known kind.")
    return Problem(value[0], clean(value[1]))


def _set_timeout(peer: socket.socket, deadline: float | None) -> None:
    if deadline is None:
        peer.settimeout(None)
        return
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("the deadline has passed")
    peer.settimeout(remaining)


def _read(peer: socket.socket, length: int, deadline: float | None) -> bytearray:
    """Exactly `length` bytes. Memory is taken as they come, not as they are promised."""
    read = bytearray()
    while len(read) < length:
        _set_timeout(peer, deadline)
        part = peer.recv(min(length - len(read), _CHUNK))
        if not part:
            raise EOFError("the other side has closed the connection")
        read += part
    return read


def _header(raw: bytearray) -> dict[str, Any]:
    try:
        header = json.loads(raw.decode())
    except (ValueError, RecursionError):
        raise ProtocolError("a header is not JSON.") from None
    if not isinstance(header, dict):
        raise ProtocolError("a header is not an object.")
    return header


@dataclass(frozen=True)
class _Layout:
    """One array in a body: where it starts and ends, in bytes, and what it is."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int
    end: int


def _layout(listed: object, length: int) -> list[_Layout]:
    """The arrays of a body of `length` bytes."""
    if not isinstance(listed, list) or len(listed) > MAX_ARRAYS:
        raise ProtocolError("a header has no list of arrays, or too many.")
    layout: list[_Layout] = []
    for entry in listed:
        layout.append(_placed(entry, layout[-1].end if layout else 0))
    if (layout[-1].end if layout else 0) != length:
        raise ProtocolError("a body is not as long as its arrays.")
    if len({array.name for array in layout}) != len(layout):
        raise ProtocolError("two arrays have the same name.")
    return layout


def _placed(entry: object, start: int) -> _Layout:
    if not isinstance(entry, list) or len(entry) != 3:
        raise ProtocolError("an array is not a name, a dtype and a shape.")
    name, dtype, shape = entry
    if not isinstance(name, str) or not name.isprintable() or len(name) > MAX_NAME:
        raise ProtocolError("an array has no proper name.")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ProtocolError("an array has an unknown dtype.")
    if not isinstance(shape, list) or len(shape) > MAX_AXES:
        raise ProtocolError("an array has no proper shape.")
    # An axis of length 0 must not hide others of any length.
    lengths = [n or 1 for n in shape if type(n) is int and n >= 0]
    if len(lengths) != len(shape) or math.prod(lengths) > MAX_BODY:
        raise ProtocolError("an array has no proper shape.")
    end = start + math.prod(shape) * DTYPES[dtype].itemsize
    return _Layout(name, DTYPES[dtype], tuple(shape), start, end)


def _arrays(layout: list[_Layout], body: bytearray) -> Arrays:
    return {array.name: _array(array, body[array.start : array.end]) for array in layout}


def _array(array: _Layout, raw: bytearray) -> Tensor:
    if not raw:
        return torch.empty(array.shape, dtype=array.dtype)
    if array.dtype == torch.bool:  # any byte may come; only 0 and 1 are booleans
        return (torch.frombuffer(raw, dtype=torch.uint8) != 0).view(array.shape)
    return torch.frombuffer(raw, dtype=array.dtype).view(array.shape)
