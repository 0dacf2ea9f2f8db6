"""Frames between the grader and the sandbox: a JSON header and raw arrays, and no pickle.

On the wire: the lengths of header and body as two little-endian 32-bit numbers, the header, the
body. The header's "arrays" lists the arrays of the body in order: name, dtype and shape of each.
Whatever a frame claims is checked before anything is allocated for it.

Whoever waits for the other side gives a `Timeout`, which is asked before every wait: it stands for
an instant by which all has to be done, so that a peer that trickles bytes gains nothing.
"""

from __future__ import annotations

import json
import math
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ...checks.results import Arrays

Timeout = Callable[[], float]
"""Says how many seconds may be waited now; raises TimeoutError when it is over."""

MAX_HEADER = 1 << 20
MAX_REMEMBERED = 1 << 12
"""Bytes of a header that is not parsed again when the same one comes once more."""
MAX_BODY = 1 << 24
MAX_STREAM = 1 << 26
"""Bytes that one child may send altogether."""
MAX_ARRAYS = 64
MAX_AXES = 8
MAX_NAME = 100
MAX_TEXT = 500
"""Characters kept of a message from the sandbox."""
MAX_OUTPUT = 2000
"""Characters kept of what a cell prints and displays."""


START, END = b"s", b"e"
"""What the host sends a worker, see `worker`."""
HERE = b"h"
"""The first byte of a child: it shows the host which process this is."""

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float16,
        torch.float32,
        torch.float64,
        torch.int64,
        torch.uint8,
        torch.bool,
    )
}

_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_LENGTHS = struct.Struct("<II")
_CHUNK = 1 << 18


class ProtocolError(ValueError):
    """The other side sent what it should not have. The message says what."""


@dataclass
class Frame:
    """One message.

    Attributes:
        header: a JSON object.
        arrays: inputs or results, by name.
        gradients: by the name of an input; or what the gradients of results are multiplied by.
    """

    header: dict[str, Any]
    arrays: Arrays = field(default_factory=dict)
    gradients: Arrays = field(default_factory=dict)


class Reader:
    """Reads frames from a socket.

    Args:
        ahead: whether to read more than is asked for, where it is there already.
        limit: how many bytes the other side may send.
    """

    def __init__(self, peer: socket.socket, ahead: bool = False, limit: float = math.inf) -> None:
        self._peer, self._ahead, self._left = peer, ahead, limit
        self._read = bytearray()

    def frame(self, timeout: Timeout | None = None) -> Frame:
        """The next frame.

        Raises:
            ProtocolError: what came is no frame, or one over a limit.
            TimeoutError: the timeout is over.
            EOFError, OSError: the other side has gone.
        """
        header_length, body_length = _LENGTHS.unpack(self._take(_LENGTHS.size, timeout))
        if header_length > MAX_HEADER or body_length > MAX_BODY:
            raise ProtocolError("a message is too long.")
        raw = bytes(self._take(header_length, timeout))
        parse = _parse_again if header_length <= MAX_REMEMBERED else _parse
        header, layout, count = parse(raw, body_length)
        found = _arrays(layout, self._take(body_length, timeout))
        return Frame(dict(header), dict(found[:count]), dict(found[count:]))

    def _take(self, length: int, timeout: Timeout | None) -> bytearray:
        """The next `length` bytes. Memory is taken as they come, not as they are promised."""
        while (missing := length - len(self._read)) > 0:
            part = self._receive(_CHUNK if self._ahead else min(missing, _CHUNK), timeout)
            if not part:
                raise EOFError("the other side has closed the connection")
            self._left -= len(part)
            if self._left < 0:
                raise ProtocolError("the messages are too many or too long.")
            self._read += part
        taken = self._read[:length]
        del self._read[:length]
        return taken

    def _receive(self, most: int, timeout: Timeout | None) -> bytes:
        while True:
            self._peer.settimeout(timeout() if timeout else None)
            try:
                return self._peer.recv(most)
            except TimeoutError:
                continue  # the timeout decides whether that was all


def send(peer: socket.socket, frame: Frame, timeout: Timeout | None = None) -> None:
    """Send a frame.

    Raises:
        ProtocolError: it is over a limit, or has an array that cannot travel.
        TimeoutError: the timeout is over.
        OSError: the other side has gone.
    """
    send_encoded(peer, encode(frame), timeout)


def send_encoded(peer: socket.socket, encoded: bytes, timeout: Timeout | None = None) -> None:
    """Send frames that are encoded already."""
    rest = memoryview(encoded)
    while rest:
        peer.settimeout(timeout() if timeout else None)
        try:
            rest = rest[peer.send(rest) :]
        except TimeoutError:
            continue


def encode(frame: Frame) -> bytes:
    """A frame as it is sent.

    Raises:
        ProtocolError: it is over a limit, or has an array that cannot travel.
    """
    parts: list[bytes] = []
    arrays, gradients = _listed(frame.arrays, parts), _listed(frame.gradients, parts)
    header = json.dumps({**frame.header, "arrays": arrays, "gradients": gradients}).encode()
    body = b"".join(parts)
    if len(header) > MAX_HEADER or len(body) > MAX_BODY:
        raise ProtocolError("the message is too long.")
    return _LENGTHS.pack(len(header), len(body)) + header + body


def _listed(arrays: Arrays, parts: list[bytes]) -> list[list[Any]]:
    """What a header says of arrays, whose bytes are added to `parts`."""
    listed: list[list[Any]] = []
    for name, array in arrays.items():
        if hindrance := cannot_travel(array):
            raise ProtocolError(f"{name} {hindrance}.")
        listed.append([name, _NAMES[array.dtype], list(array.shape)])
        parts.append(array.numpy(force=True).tobytes())
    return listed


def cannot_travel(array: Tensor) -> str:
    """Why a tensor cannot be sent, as the end of a sentence on it; "" when it can."""
    if array.dtype not in _NAMES:
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


def clean_list(value: object, most: int) -> tuple[str, ...]:
    """A list of strings from the sandbox.

    Raises:
        ProtocolError: it is something else, or too long.
    """
    if not isinstance(value, list) or len(value) > most:
        raise ProtocolError("something that should be a list of texts is not.")
    return tuple(clean(text) for text in value)


@dataclass(frozen=True)
class _Layout:
    """One array in a body: where it starts and ends, in bytes, and what it is."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int
    end: int


def _parse(raw: bytes, body_length: int) -> tuple[dict[str, Any], tuple[_Layout, ...], int]:
    """A header but for its lists of arrays, what these say about a body of this length, and how
    many of the arrays are no gradients."""
    try:
        header = json.loads(raw.decode())
    except (ValueError, RecursionError):
        raise ProtocolError("a header is not JSON.") from None
    if not isinstance(header, dict):
        raise ProtocolError("a header is not an object.")
    arrays, gradients = header.pop("arrays", None), header.pop("gradients", None)
    if not isinstance(arrays, list) or not isinstance(gradients, list):
        raise ProtocolError("a header has no list of arrays.")
    layout = _layout([*arrays, *gradients], body_length)
    for group in (layout[: len(arrays)], layout[len(arrays) :]):
        if len({array.name for array in group}) != len(group):
            raise ProtocolError("two arrays have the same name.")
    return header, layout, len(arrays)


# From all right submissions come the same headers.
_parse_again = lru_cache(maxsize=1024)(_parse)


def _layout(listed: list[object], length: int) -> tuple[_Layout, ...]:
    """The arrays of a body of `length` bytes."""
    if len(listed) > MAX_ARRAYS:
        raise ProtocolError("a header lists too many arrays.")
    layout: list[_Layout] = []
    for entry in listed:
        layout.append(_placed(entry, layout[-1].end if layout else 0))
    if (layout[-1].end if layout else 0) != length:
        raise ProtocolError("a body is not as long as its arrays.")
    return tuple(layout)


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


def _arrays(layout: Sequence[_Layout], body: bytearray) -> list[tuple[str, Tensor]]:
    dtypes = {array.dtype for array in layout}
    if body and len(dtypes) == 1 and torch.bool not in dtypes:  # nearly always, and quicker
        numbers = torch.frombuffer(body, dtype=layout[0].dtype)
        parts = numbers.split([math.prod(array.shape) for array in layout])
        return [(a.name, part.view(a.shape)) for a, part in zip(layout, parts, strict=True)]
    return [(array.name, _array(array, body[array.start : array.end])) for array in layout]


def _array(array: _Layout, raw: bytearray) -> Tensor:
    if not raw:
        return torch.empty(array.shape, dtype=array.dtype)
    if array.dtype == torch.bool:  # any byte may come; only 0 and 1 are booleans
        return (torch.frombuffer(raw, dtype=torch.uint8) != 0).view(array.shape)
    return torch.frombuffer(raw, dtype=array.dtype).view(array.shape)
