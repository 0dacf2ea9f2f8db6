"""The chapter on the LSTM: solutions against figures from another route, one number at a time."""

from __future__ import annotations

import pytest
import torch

from rnncourse.checks.fingerprints import load
from rnncourse.checks.plan import Key
from rnncourse.checks.results import Arrays
from tests.checks.by_hand import packed_step, step
from tools.answers import solution

ABOUT = {"abs": 1e-5}


def fixtures(name: str) -> list[Arrays]:
    return [fixture.inputs for fixture in load("lstm")[name].fixtures[:2]]


def test_a_cell_gives_what_single_numbers_give() -> None:
    for given in fixtures("lstm_cell"):
        h_next, c_next = solution("lstm_cell")(**given)
        for row, x in enumerate(given["x"].tolist()):
            h, c = given["h"][row].tolist(), given["c"][row].tolist()
            both = h_next[row].tolist() + c_next[row].tolist()
            assert both == pytest.approx(packed_step(x, h, c, given), **ABOUT)


def test_a_layer_is_the_step_again_and_again() -> None:
    for given in fixtures("lstm_layer"):
        output, (h_n, c_n) = solution("lstm_layer")(**given)
        for row in range(output.shape[1]):
            h, c = given["h0"][row].tolist(), given["c0"][row].tolist()
            for x, states in zip(given["x"][:, row].tolist(), output[:, row].tolist(), strict=True):
                both = packed_step(x, h, c, given)
                h, c = both[: len(h)], both[len(h) :]
                assert states == pytest.approx(h, **ABOUT)
            assert h_n[row].tolist() == pytest.approx(h, **ABOUT)
            assert c_n[row].tolist() == pytest.approx(c, **ABOUT)


def arguments(gates: Arrays) -> tuple[list[float], list[float], list[float]]:
    """x, h and c that fit matrices on [h; x]."""
    size = gates["b_f"].shape[0]
    width = gates["w_f"].shape[1] - size
    h, c = [0.3 - 0.1 * i for i in range(size)], [0.1 * i - 0.2 for i in range(size)]
    return [0.5 - 0.2 * i for i in range(width)], h, c


def test_packed_gates_take_the_step_that_single_matrices_take() -> None:
    """The stored answers as well: torch has no such function, so the check compares with these."""
    stored = load("lstm")["pack_gates"]
    for k, gates in enumerate(fixtures("pack_gates"), start=1):
        wanted = pytest.approx(step(*arguments(gates), gates), **ABOUT)
        names = ("w_ih", "w_hh", "b_ih", "b_hh")
        packed = dict(zip(names, solution("pack_gates")(**gates), strict=True))
        answer = stored.answers[Key("", False, f"fixture {k}")].arrays
        assert packed_step(*arguments(gates), packed) == wanted
        assert packed_step(*arguments(gates), answer) == wanted


def test_unpacked_gates_take_the_step_of_the_packed_ones() -> None:
    for packed in fixtures("unpack_gates"):
        names = [f"{kind}_{gate}" for kind in "wb" for gate in "fico"]
        gates = dict(zip(names, solution("unpack_gates")(**packed), strict=True))
        wanted = packed_step(*arguments(gates), packed)
        assert step(*arguments(gates), gates) == pytest.approx(wanted, **ABOUT)


def test_a_forget_bias_on_paper() -> None:
    """Two units: the second block of four has the rows 2 and 3."""
    given = torch.arange(8.0)
    b_ih, b_hh = solution("set_forget_bias")(given, -given, 1.5)
    assert (b_ih + b_hh).tolist() == [0, 0, 1.5, 1.5, 0, 0, 0, 0]
    assert b_ih[[0, 1, 4, 5, 6, 7]].tolist() == [0, 1, 4, 5, 6, 7]
    assert given.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
