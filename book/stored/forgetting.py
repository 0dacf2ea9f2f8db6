"""How far back can a plain RNN, an LSTM and a GRU remember? The long computation behind gru.md.

Numbers pass by, one of them is flagged, and at the end the network must give that one. The flag
stands at any step, at most `distance` steps before the end. Each kind of network is trained anew
for each distance, learning rate and seed, and measured with the flag at the first step: as far
away as it can be. Six or seven minutes of one core. From the root of the repository:

    python -m book.stored.forgetting

It writes forgetting.json beside this file: the settings, torch's version and every single result.
It chooses nothing: what is drawn from the results stands in the chapter.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

from rnncourse import data

KINDS: dict[str, type[nn.RNNBase]] = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}

TESTS = 1000
"""Fresh sequences on which a trained network is measured."""

CLOSE = 0.1
"""An answer counts as right if it is off by less than this. Answering 0 is right in 1 of 10."""


class LastState(nn.Module):
    """A recurrent layer; one number from its last state."""

    def __init__(self, kind: str, hidden: int) -> None:
        super().__init__()
        self.layer = KINDS[kind](2, hidden)
        self.read = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        read: Tensor = self.read(self.layer(x)[0][-1])
        return read


def flagged(
    batch: int, distance: int, draw: Generator, first: bool = False
) -> tuple[Tensor, Tensor]:
    """Sequences (distance + 1, N, 2) with the flag at any step, or at the first one in all, and
    the flagged numbers (N, 1)."""
    x, _ = data.flagged_number(batch, distance + 1, draw)
    at = torch.randint(1 if first else distance + 1, (batch,), generator=draw)
    x[:, :, 1] = nn.functional.one_hot(at, distance + 1).T
    return x, x.prod(2).sum(0).unsqueeze(1)


def train(model: nn.Module, distance: int, lr: float, seed: int, settings: Any) -> None:
    """Adam on the squared error, a fresh batch at every update, gradients clipped to norm 1."""
    draw = torch.Generator().manual_seed(seed)
    adam = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(settings.updates):
        x, y = flagged(settings.batch, distance, draw)
        loss = (model(x) - y).square().mean()
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        adam.step()


def one_result(kind: str, distance: int, lr: float, seed: int, settings: Any) -> dict[str, Any]:
    """Train one network and measure it on fresh sequences, the flag at the first step."""
    began = time.process_time()
    torch.manual_seed(seed)
    model = LastState(kind, settings.hidden)
    train(model, distance, lr, seed, settings)
    x, y = flagged(TESTS, distance, torch.Generator().manual_seed(10_000 + seed), first=True)
    with torch.no_grad():
        off = (model(x) - y).abs()
    return {
        "kind": kind,
        "distance": distance,
        "lr": lr,
        "seed": seed,
        "error": round(off.square().mean().item(), 6),
        "right": round((off < CLOSE).float().mean().item(), 4),
        "seconds": round(time.process_time() - began, 1),
    }


def run(settings: argparse.Namespace) -> dict[str, Any]:
    """Every kind at every distance with every learning rate and every seed."""
    results = []
    for distance in settings.distances:
        for kind in KINDS:
            for lr in settings.lr:
                for seed in range(settings.seeds):
                    results.append(one_result(kind, distance, lr, seed, settings))
                    print(*(f"{key} {value}" for key, value in results[-1].items()), flush=True)
    kept = {name: value for name, value in vars(settings).items() if name != "out"}
    return {
        "torch": torch.__version__,
        "settings": {**kept, "tests": TESTS, "close": CLOSE},
        "results": results,
    }


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Right answers against distance, three networks.")
    parser.add_argument("--distances", type=int, nargs="+", default=[5, 10, 20, 30, 50])
    parser.add_argument("--lr", type=float, nargs="+", default=[0.003, 0.01])
    parser.add_argument("--seeds", type=int, default=3, help="how many: 0, 1, ...")
    parser.add_argument("--updates", type=int, default=1000)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> None:
    settings = arguments(given)
    torch.set_num_threads(1)
    found = run(settings)
    settings.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    seconds = sum(one["seconds"] for one in found["results"])
    print(f"{len(found['results'])} results in {seconds:.0f} s of one core: {settings.out}")


if __name__ == "__main__":
    main()
