"""Where lessons and exercises compute, with GPUs that are not here."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import torch

from rnncourse import train
from rnncourse._device import VARIABLE, described


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_the_cpu_is_used_where_there_is_nothing_else() -> None:
    assert train.device() == torch.device("cpu")
    assert train.precise_dtype() == torch.float64
    assert described().startswith("the CPU: torch is built ")


def test_an_nvidia_gpu_comes_first_and_computes_without_tf32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU of {device}")
    before = torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
    try:
        torch.backends.cudnn.allow_tf32 = True
        torch.set_float32_matmul_precision("high")
        assert train.device() == torch.device("cuda")
        assert not torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "highest"
        assert described() == "GPU of cuda, without TF32"
    finally:
        torch.backends.cudnn.allow_tf32 = before[0]
        torch.set_float32_matmul_precision(before[1])


def test_apples_gpu_has_no_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert train.device() == torch.device("mps")
    assert train.precise_dtype() == torch.float32
    assert described() == "Apple's GPU, which has no float64"


def test_the_variable_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv(VARIABLE, "cpu")
    assert train.device() == torch.device("cpu")
    assert described() == "the CPU, as RNNCOURSE_DEVICE says"


@pytest.mark.parametrize("name", ["banana", "cuda:99", "meta", "privateuseone"])
def test_a_device_that_is_not_here_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, name)
    with pytest.raises(train.DeviceError, match=f"^RNNCOURSE_DEVICE is {name}, a device that "):
        train.device()


@pytest.mark.parametrize(
    ("name", "said", "missing"),
    [
        ("cpu", "the CPU, as RNNCOURSE_DEVICE says", []),
        (
            "banana",
            "RNNCOURSE_DEVICE is banana, a device that torch cannot use here.",
            ["training on"],
        ),
    ],
)
def test_doctor_says_it(name: str, said: str, missing: list[str]) -> None:
    command = [sys.executable, "-m", "rnncourse", "doctor", "--json"]
    environment = os.environ | {VARIABLE: name}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert found["findings"]["training on"]["said"] == said
    assert found["missing"] == missing
    assert done.returncode == len(missing)
