"""A second device that every machine has: `fake` computes on the CPU and refuses its tensors.

Like a GPU, it takes tensors of the CPU only where torch copies them, as an index, and as numbers
without a dimension; like Apple's, it has no float64. Code that forgets one tensor on the CPU fails
here as it would there. It exists in the process that has called `install`, and for good.
"""

from __future__ import annotations

import functools
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.utils._mode_utils import no_dispatch
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "fake"
DEVICE = f"{NAME}:0"
CPU = torch.device("cpu")
aten = torch.ops.aten

MIXING = {
    aten.copy_,
    aten._to_copy,
    aten.index,
    aten.index_put,
    aten.index_put_,
    aten._index_put_impl_,
}
"""What takes tensors of both devices."""

LENGTHS = {
    aten._pack_padded_sequence: 1,
    aten._pad_packed_sequence: 1,
    aten._pack_padded_sequence_backward: 2,
}
"""What takes lengths, which torch wants on the CPU, and where among its arguments."""

COUNTS = (aten._pack_padded_sequence, aten._pad_packed_sequence)
"""What returns a tensor of the device and one of the CPU."""

RESIZING = (
    aten.arange.default,
    aten.arange.start,
    aten.arange.start_step,
    aten.eye.default,
    aten.eye.m,
)
"""What torch would write into an empty tensor of the device and give its shape afterwards."""

_libraries: list[torch.library.Library] = []


class DeviceMixError(RuntimeError):
    """Something that a GPU would refuse: a tensor or generator of the CPU, or float64.

    Example:
        >>> raise DeviceMixError("aten.add.Tensor: fake and cpu")
        Traceback (most recent call last):
        tests.devices.fake.DeviceMixError: aten.add.Tensor: fake and cpu
    """


def install() -> None:
    """Give torch the device, and generators for it."""
    if not _libraries:
        _setup_privateuseone_for_python_backend(NAME)
        _libraries.append(torch.library.Library("_", "IMPL"))
        _libraries[0].fallback(compute, "PrivateUse1")
        _libraries.append(torch.library.Library("aten", "IMPL"))
        for op in RESIZING:
            _libraries[1].impl(op, functools.partial(compute, op), "PrivateUse1")
        torch.Generator = Generator  # type: ignore[misc]
        torch.tensor, torch.as_tensor = _made_on_cpu(torch.tensor), _made_on_cpu(torch.as_tensor)


class FakeTensor(Tensor):
    """A tensor on the fake device, which holds one of the CPU."""

    raw: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, raw: Tensor) -> FakeTensor:
        if raw.dtype in (torch.float64, torch.complex128):
            raise DeviceMixError("the device has no float64")
        made = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            raw.size(),
            strides=raw.stride(),
            storage_offset=raw.storage_offset(),
            dtype=raw.dtype,
            device=DEVICE,
            requires_grad=raw.requires_grad,
        )
        made.raw = raw
        return made

    @classmethod
    def __torch_dispatch__(cls, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return compute(op, *args, **(kwargs or {}))

    def __repr__(self) -> str:  # type: ignore[override]
        return f"{self.raw!r} on {self.device}"

    def __format__(self, spec: str) -> str:
        return format(self.raw, spec) if self.dim() == 0 else repr(self)

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(_index(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_index(key), value)

    def tolist(self) -> Any:
        return self.raw.tolist()


class Generator(torch._C.Generator):
    """torch.Generator, also for the fake device."""

    on_fake: ClassVar[dict[int, Generator]] = {}
    """Those of the device by the address of their state, as torch wraps it anew in each call."""

    def __new__(cls, device: Any = "cpu") -> Generator:
        if torch.device(device).type != NAME:
            return super().__new__(cls, device)
        made = super().__new__(cls)
        cls.on_fake[made._cdata] = made  # type: ignore[attr-defined]
        return made


def _made_on_cpu(make: Any) -> Any:
    """torch.tensor takes a list to the device in C++, where no device in Python can be reached."""

    def made(data: Any, *, device: Any = None, requires_grad: bool = False, **rest: Any) -> Tensor:
        if device is None:
            device = data.device if isinstance(data, Tensor) else torch.empty(0).device
        if isinstance(data, FakeTensor):
            return data.to(device, **rest)
        result: Tensor = make(data, device="cpu", **rest).to(device)
        return result.requires_grad_(requires_grad)

    return made


def _index(key: Any) -> Any:
    """An index without lists and ranges, for the same reason: as tensors of the CPU."""
    if isinstance(key, tuple):
        return tuple(_index(part) for part in key)
    return torch.tensor(key, device=CPU) if isinstance(key, list | range) else key


class Manner(NamedTuple):
    """How an operation is computed.

    Attributes:
        run: computes it on the CPU.
        reshapes: it changes the shape of its argument.
        mixes: it takes tensors of both devices.
        lengths: which argument is lengths.
        counts: its second result stays on the CPU.
    """

    run: Any
    reshapes: bool
    mixes: bool
    lengths: int | None
    counts: bool


@functools.cache
def manner_of(op: Any) -> Manner:
    packet = op.overloadpacket
    return Manner(
        FUSED.get(packet, op),
        torch.Tag.inplace_view in op.tags,
        packet in MIXING,
        LENGTHS.get(packet),
        packet in COUNTS,
    )


class Crossing:
    """The way of one operation's tensors to the CPU and back.

    Attributes:
        held: the fake tensors that went, by what they hold: one changed in place comes back.
        strays: the tensors that were on the CPU already.
    """

    def __init__(self) -> None:
        self.held: dict[int, FakeTensor] = {}
        self.strays: list[Tensor] = []

    def to_cpu(self, value: Any) -> Any:
        if isinstance(value, FakeTensor):
            self.held[id(value.raw)] = value
            return value.raw
        if isinstance(value, Tensor) and value.dim():
            self.strays.append(value)
        elif isinstance(value, (list, tuple)):
            return type(value)([self.to_cpu(part) for part in value])
        elif isinstance(value, torch.device):
            return CPU if value.type == NAME else value
        elif isinstance(value, torch._C.Generator) and value._cdata not in Generator.on_fake:  # type: ignore[attr-defined]
            raise DeviceMixError("a generator of the CPU")
        return value

    def to_fake(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            known = self.held.get(id(value))
            return FakeTensor(value) if known is None else known
        if isinstance(value, (list, tuple)):
            return type(value)([self.to_fake(part) for part in value])
        return value


def compute(op: Any, *args: Any, **kwargs: Any) -> Any:
    """Compute on the CPU what torch asks of the fake device."""
    manner, crossing = manner_of(op), Crossing()
    if manner.reshapes:
        with no_dispatch():
            op(*args, **kwargs)  # which gives the fake tensor the new shape, too
    wanted = kwargs.get("device")
    on_cpu = [crossing.to_cpu(value) for value in args]
    named = {name: crossing.to_cpu(value) for name, value in kwargs.items()}
    _refuse_mixes(op, manner, args, crossing.strays)
    result = manner.run(*on_cpu, **named)
    if wanted is not None and torch.device(wanted).type != NAME:
        return result
    if manner.counts:
        return crossing.to_fake(result[0]), result[1]
    if manner.mixes and any(result is one for one in crossing.strays):
        return result  # copied into a tensor of the CPU
    return crossing.to_fake(result)


def _refuse_mixes(op: Any, manner: Manner, args: Any, strays: list[Tensor]) -> None:
    if manner.lengths is not None:
        if isinstance(args[manner.lengths], FakeTensor):
            raise DeviceMixError(f"{op}: lengths belong on the CPU")
        strays = [one for one in strays if one is not args[manner.lengths]]
    if strays and not manner.mixes:
        raise DeviceMixError(f"{op}: all tensors must be on one device; found {NAME} and cpu")


def lstm_cell(gates_x: Tensor, gates_h: Tensor, c: Tensor, *biases: Tensor | None) -> Any:
    """What nn.LSTM computes at a step on a GPU: the states, and the gates for the way back."""
    i, f, g, o = sum((b for b in biases if b is not None), gates_x + gates_h).chunk(4, 1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    new = f * c + i * g
    return o * new.tanh(), new, torch.cat([i, f, g, o], 1)


def lstm_cell_backward(
    grad_h: Tensor | None, grad_c: Tensor | None, c: Tensor, new: Tensor, gates: Tensor, bias: bool
) -> Any:
    i, f, g, o = gates.chunk(4, 1)
    up, out = torch.zeros_like(c) if grad_h is None else grad_h, new.tanh()
    into = up * o * (1 - out**2) + (0 if grad_c is None else grad_c)
    parts = [
        into * g * i * (1 - i),
        into * c * f * (1 - f),
        into * i * (1 - g**2),
        up * out * o * (1 - o),
    ]
    grad = torch.cat(parts, 1)
    return grad, into * f, grad.sum(0) if bias else None


def gru_cell(
    gates_x: Tensor,
    gates_h: Tensor,
    h: Tensor,
    b_x: Tensor | None = None,
    b_h: Tensor | None = None,
) -> Any:
    """What nn.GRU computes at a step on a GPU: the state, and the gates for the way back."""
    x = (gates_x if b_x is None else gates_x + b_x).chunk(3, 1)
    y = (gates_h if b_h is None else gates_h + b_h).chunk(3, 1)
    r, z = (x[0] + y[0]).sigmoid(), (x[1] + y[1]).sigmoid()
    n = (x[2] + r * y[2]).tanh()
    return n + z * (h - n), torch.cat([r, z, n, h, y[2]], 1)


def gru_cell_backward(grad: Tensor, gates: Tensor, bias: bool) -> Any:
    r, z, n, h, y = gates.chunk(5, 1)
    new = grad * (1 - z) * (1 - n**2)
    reset, update = new * y * r * (1 - r), grad * (h - n) * z * (1 - z)
    x, y = torch.cat([reset, update, new], 1), torch.cat([reset, update, new * r], 1)
    return x, y, grad * z, x.sum(0) if bias else None, y.sum(0) if bias else None


FUSED = {
    aten._thnn_fused_lstm_cell: lstm_cell,
    aten._thnn_fused_lstm_cell_backward_impl: lstm_cell_backward,
    aten._thnn_fused_gru_cell: gru_cell,
    aten._thnn_fused_gru_cell_backward: gru_cell_backward,
}
"""What torch computes in one piece on a GPU, and has no such piece for on the CPU."""
