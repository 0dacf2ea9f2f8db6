"""The device on which lessons and exercises compute, and why it is not another one."""

from __future__ import annotations

import os

import torch

from ._errors import BriefError

VARIABLE = "RNNCOURSE_DEVICE"
"""Names the device, such as cpu or cuda:1, where the usual one is not wanted."""


class DeviceError(BriefError):
    """RNNCOURSE_DEVICE names a device that torch cannot use here.

    Example:
        >>> raise DeviceError("RNNCOURSE_DEVICE is gpu, a device that torch cannot use here.")
        Traceback (most recent call last):
        rnncourse._device.DeviceError: RNNCOURSE_DEVICE is gpu, a device that ...
    """


def device() -> torch.device:
    """The device that RNNCOURSE_DEVICE names, else an NVIDIA GPU, Apple's GPU, or the CPU.

    A GPU multiplies in full 32 bits from then on. TF32, which is faster, keeps three digits, and
    what lessons say of small differences would no longer hold.

    Raises:
        DeviceError: torch cannot use the device that is named.

    Example:
        >>> import torch
        >>> x = torch.zeros(7, 5, 3, device=device())
        >>> x.device.type == device().type
        True
    """
    named = os.environ.get(VARIABLE, "")
    found = _checked(named) if named else torch.device(_best())
    if found.type == "cuda":
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False
    return found


def use_device() -> torch.device:
    """Make new tensors and models on `device()`, where nothing else is said; returns it.

    For a notebook's first cell. On the CPU nothing changes, so that nothing gets slower.

    Raises:
        DeviceError: torch cannot use the device that RNNCOURSE_DEVICE names.

    Example:
        >>> import torch
        >>> use_device() == torch.nn.Linear(5, 3).weight.device
        True
    """
    found = device()
    torch.set_default_device(None if found.type == "cpu" else found)
    return found


def precise_dtype() -> torch.dtype:
    """The longest floats of `device()`: float64, and float32 where it has none, as Apple's GPU.

    Example:
        >>> import torch
        >>> precise_dtype() in (torch.float64, torch.float32)
        True
    """
    try:
        return torch.zeros(1, dtype=torch.float64, device=device()).dtype
    except (RuntimeError, TypeError):
        return torch.float32


def described() -> str:
    """The device in words, and what is not used.

    Example:
        >>> described()
        '...'
    """
    found = device()
    chosen = f", as {VARIABLE} says" if os.environ.get(VARIABLE) else ""
    if found.type == "cuda":
        return f"{torch.cuda.get_device_name(found)}{chosen}, without TF32"
    if found.type == "mps":
        return f"Apple's GPU{chosen}, which has no float64"
    return f"the CPU{chosen or f': {_why_no_gpu()}'}"


def _why_no_gpu() -> str:
    if torch.version.cuda:
        return f"torch is built for CUDA {torch.version.cuda}, and sees no NVIDIA GPU with a driver"
    return "torch is built without CUDA"


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _checked(name: str) -> torch.device:
    try:
        if name != "meta":  # its tensors have no numbers
            return torch.empty(1, device=name).device
    except (RuntimeError, AssertionError, ImportError):
        pass
    raise DeviceError(f"{VARIABLE} is {name}, a device that torch cannot use here.")
