"""The fake device: right where a GPU is, and strict where a GPU is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.devices.notebook import error_on_fake

START = "import torch\nfrom torch import nn\nx = torch.randn(4, 2, 3, device='fake')"
SAME = """
import copy
torch.manual_seed(0)
there = {kind}(3, 5)
here, x = copy.deepcopy(there).to('fake'), torch.randn(4, 2, 3)
there(x)[0].square().sum().backward()
here(x.to('fake'))[0].square().sum().backward()
for one, other in zip(there.parameters(), here.parameters()):
    assert other.grad.device.type == 'fake'
    torch.testing.assert_close(other.grad.cpu(), one.grad)
"""


@pytest.mark.parametrize("kind", ["nn.RNN", "nn.GRU", "nn.LSTM"])
def test_networks_compute_what_they_compute_on_the_cpu(kind: str, tmp_path: Path) -> None:
    assert error_on_fake([START, SAME.format(kind=kind)], tmp_path) == ""


@pytest.mark.parametrize(
    "cell",
    [
        "torch.set_default_device('fake')\nassert (torch.ones(2) + torch.tensor([1])).sum() == 4",
        "x[-1, [0, 1]] = 7.0\nassert x[3, :, 0].tolist() == [7, 7]\nx[torch.arange(2)] + 1",
        "x * torch.tensor(2.0)",
        "torch.rand(3, generator=torch.Generator('fake').manual_seed(1), device='fake')",
        "nn.utils.rnn.pack_padded_sequence(x, torch.tensor([4, 2]))",
        "for make in (torch.arange, torch.eye):\n    assert len(make(5, device='fake')) == 5",
        "assert (x.new_ones(5) @ x.new_ones(5, 3)).shape == (3,)",
        "x.cpu().numpy()\nfloat(x.sum())\nf'{x.sum():.2f}'",
    ],
)
def test_what_a_gpu_does_works(cell: str, tmp_path: Path) -> None:
    assert error_on_fake([START, cell], tmp_path) == ""


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("x + torch.zeros(3)", "all tensors must be on one device"),
        ("nn.Linear(3, 1)(x)", "all tensors must be on one device"),
        ("x.double()", "the device has no float64"),
        ("torch.zeros(2, dtype=torch.float64, device='fake')", "the device has no float64"),
        ("torch.rand(3, generator=torch.Generator(), device='fake')", "a generator of the CPU"),
        ("x.numpy()", "numpy() is not supported"),
        ("import matplotlib.pyplot as plt\nplt.plot(x[:, 0, 0])", "numpy() is not supported"),
        (
            "nn.utils.rnn.pack_padded_sequence(x, torch.tensor([4, 2]).to('fake'))",
            "lengths belong on the CPU",
        ),
    ],
)
def test_what_a_gpu_refuses_is_an_error(cell: str, said: str, tmp_path: Path) -> None:
    assert said in error_on_fake([START, cell], tmp_path)
