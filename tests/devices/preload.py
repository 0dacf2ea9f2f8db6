"""What processes are forked with: torch, and the fake device with all that it loads at first."""

from __future__ import annotations

import IPython.core.interactiveshell  # noqa: F401
import matplotlib.pyplot  # noqa: F401
import torch

from rnncourse import train  # noqa: F401
from tests.devices import fake

fake.install()
torch.ones(1, device=fake.NAME)
