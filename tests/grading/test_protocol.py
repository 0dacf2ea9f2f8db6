"""Frames: what is sent comes back, and nothing that a hostile peer sends does harm."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from rnncourse.checks.drivers import COTANGENT, GRADIENT, Outcome, Problem
from rnncourse.checks.plan import Case
from rnncourse.grading import protocol
from rnncourse.grading.protocol import (
    DTYPES,
    MAX_BODY,
    MAX_HEADER,
    MAX_TEXT,
    Frame,
    ProtocolError,
    clean,
    outcome_frame,
    read_outcome,
    receive,
    send,
)

Pair = tuple[socket.socket, socket.socket]
CASE = Case(
    "a case",
    "set_forget_bias",
    {
        "b_ih": torch.ones(8),
        "b_hh": torch.ones(8),
        "value": torch.tensor(1.0),
        COTANGENT + "b_ih": torch.ones(8),
    },
)


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def soon() -> float:
    return time.monotonic() + 5


def send_raw(peer: socket.socket, header: object, body: bytes = b"") -> None:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    peer.sendall(struct.pack("<II", len(raw), len(body)) + raw + body)


def through(pair: Pair, frame: Frame) -> Frame:
    send(pair[0], frame)
    return receive(pair[1], soon())


def complete_outcome() -> Outcome:
    arrays = {name: torch.ones(8) for name in ("b_ih", "b_hh")}
    return Outcome(arrays | {GRADIENT + name: value for name, value in arrays.items()})


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3, 4)])
def test_arrays_come_back_as_they_were(
    pair: Pair, dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    array = torch.randint(0, 2, shape).to(dtype)
    turned = array.permute(tuple(reversed(range(array.ndim))))
    got = through(pair, Frame({"a": [1, "é"]}, {"x": array, "h'": turned}))
    assert got.header == {"a": [1, "é"]}
    assert got.arrays["x"].dtype == dtype
    assert torch.equal(got.arrays["x"], array)
    assert torch.equal(got.arrays["h'"], turned)


def test_what_comes_back_can_be_written_to(pair: Pair) -> None:
    got = through(pair, Frame({}, {"x": torch.zeros(2, requires_grad=True)}))
    got.arrays["x"] += 1
    assert not got.arrays["x"].requires_grad


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": ' + b"1" * 10_000 + b"}",
        [],
        "text",
        {},
        {"arrays": None},
        {"arrays": [None]},
        {"arrays": [["x", "float32"]]},
        {"arrays": [["x", "object", [1]]]},
        {"arrays": [["x", ["float32"], [1]]]},
        {"arrays": [["x", "float32", 1]]},
        {"arrays": [["x", "float32", [-1]]]},
        {"arrays": [["x", "float32", [True]]]},
        {"arrays": [["x", "float32", [1.0]]]},
        {"arrays": [["x", "float32", [1 << 62, 0]]]},
        {"arrays": [["x", "float32", [1] * 9]]},
        {"arrays": [["x", "float32", [1]]]},
        {"arrays": [["x\n", "float32", [0]]]},
        {"arrays": [["x" * 1000, "float32", [0]]]},
        {"arrays": [[3, "float32", [0]]]},
        {"arrays": [["x", "float32", [0]], ["x", "float32", [0]]]},
        {"arrays": [[str(k), "float32", [0]] for k in range(1000)]},
    ],
    ids=lambda header: repr(header)[:40],
)
def test_a_frame_that_is_none_is_refused(pair: Pair, header: object) -> None:
    send_raw(pair[0], header)
    with pytest.raises(ProtocolError):
        receive(pair[1], soon())


def test_a_body_longer_than_its_arrays_is_refused(pair: Pair) -> None:
    send_raw(pair[0], {"arrays": [["x", "float32", [1]]]}, b"12345")
    with pytest.raises(ProtocolError, match="not as long"):
        receive(pair[1], soon())


@pytest.mark.parametrize("lengths", [(MAX_HEADER + 1, 0), (0, MAX_BODY + 1), (2**32 - 1,) * 2])
def test_a_length_over_the_limit_is_refused_before_anything_follows(
    pair: Pair, lengths: tuple[int, int]
) -> None:
    pair[0].sendall(struct.pack("<II", *lengths))
    with pytest.raises(ProtocolError, match="too long"):
        receive(pair[1], soon())


def test_booleans_are_zero_or_one(pair: Pair) -> None:
    send_raw(pair[0], {"arrays": [["x", "bool", [3]]]}, b"\x00\x01\xff")
    got = receive(pair[1], soon()).arrays["x"]
    assert got.view(torch.uint8).tolist() == [0, 1, 1]


def test_a_peer_that_closes_in_the_middle_is_noticed(pair: Pair) -> None:
    pair[0].sendall(struct.pack("<II", 10, 0) + b"{")
    pair[0].close()
    with pytest.raises(EOFError):
        receive(pair[1], soon())


def test_trickled_bytes_do_not_move_the_deadline(pair: Pair) -> None:
    def trickle() -> None:
        raw = struct.pack("<II", 1000, 0) + b" " * 1000
        for byte in raw:
            time.sleep(0.05)
            try:
                pair[0].send(bytes([byte]))
            except OSError:
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        receive(pair[1], started + 0.5)
    assert time.monotonic() - started < 1
    pair[1].close()
    thread.join()


def test_a_peer_that_does_not_read_does_not_move_the_deadline(pair: Pair) -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        send(pair[0], Frame({}, {"x": torch.zeros(MAX_BODY // 4)}), started + 0.3)
    assert time.monotonic() - started < 2


def test_a_deadline_in_the_past_is_over(pair: Pair) -> None:
    send(pair[0], Frame({}))
    with pytest.raises(TimeoutError):
        receive(pair[1], time.monotonic() - 1)


@pytest.mark.parametrize(
    "array",
    [
        torch.zeros(2, dtype=torch.complex64),
        torch.zeros(2, dtype=torch.bfloat16),
        torch.zeros(2, device="meta"),
        torch.zeros(2, 2).to_sparse(),
        torch.zeros(1).expand(1 << 40),
        torch.zeros([1] * 9),
    ],
    ids=["complex", "bfloat16", "meta", "sparse", "expanded", "nine axes"],
)
def test_what_cannot_travel_becomes_a_problem_for_the_learner(
    pair: Pair, array: torch.Tensor
) -> None:
    with pytest.raises(ProtocolError):
        send(pair[0], Frame({}, {"x": array}))
    frame = outcome_frame(Outcome({"b_ih": array, "b_hh": torch.zeros(2)}))
    outcome = read_outcome(through(pair, frame), CASE)
    assert outcome.problem and outcome.problem.kind == "result"
    assert outcome.problem.text.startswith("b_ih ")


def test_an_outcome_comes_back(pair: Pair) -> None:
    sent = complete_outcome()
    sent.changed = ("value",)
    got = read_outcome(through(pair, outcome_frame(sent)), CASE)
    assert got.changed == ("value",)
    assert got.problem is None and got.gradient_problem is None
    assert set(got.arrays) == set(sent.arrays)


@pytest.mark.parametrize("kind", ["unfilled", "raised", "result"])
def test_problems_come_back(pair: Pair, kind: Any) -> None:
    problem = Problem(kind, "it raised ValueError: a")
    got = read_outcome(through(pair, outcome_frame(Outcome(problem=problem))), CASE)
    assert got == Outcome(problem=problem)


def test_a_gradient_problem_stands_for_the_gradients(pair: Pair) -> None:
    sent = complete_outcome()
    sent.arrays = {k: v for k, v in sent.arrays.items() if not k.startswith(GRADIENT)}
    sent.gradient_problem = Problem("result", "no gradient")
    got = read_outcome(through(pair, outcome_frame(sent)), CASE)
    assert got.gradient_problem == sent.gradient_problem
    assert set(got.arrays) == set(sent.arrays)


@pytest.mark.parametrize("missing", ["b_hh", GRADIENT + "b_hh"])
def test_what_is_left_out_does_not_pass(missing: str) -> None:
    sent = complete_outcome()
    del sent.arrays[missing]
    with pytest.raises(ProtocolError, match="not those"):
        read_outcome(outcome_frame(sent), CASE)


def test_more_than_was_asked_for_does_not_pass() -> None:
    sent = complete_outcome()
    sent.arrays[GRADIENT + "value"] = torch.tensor(0.0)
    with pytest.raises(ProtocolError, match="not those"):
        read_outcome(outcome_frame(sent), CASE)


@pytest.mark.parametrize("wrong", [torch.ones(1), torch.ones(8, dtype=torch.float64)])
def test_a_gradient_has_its_inputs_shape_and_dtype(wrong: torch.Tensor) -> None:
    sent = complete_outcome()
    sent.arrays[GRADIENT + "b_ih"] = wrong
    with pytest.raises(ProtocolError, match="shape and dtype"):
        read_outcome(outcome_frame(sent), CASE)


@pytest.mark.parametrize(
    "header",
    [
        {"problem": ["passed", "text"]},
        {"problem": [["raised"], "text"]},
        {"problem": ["raised"]},
        {"problem": "raised"},
        {"problem": ["raised", 3]},
        {"gradient_problem": {}},
        {},
    ],
)
def test_an_outcome_of_another_form_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        read_outcome(Frame(header, complete_outcome().arrays), CASE)


def test_names_of_changed_inputs_are_ours() -> None:
    frame = outcome_frame(complete_outcome())
    frame.header["changed"] = ["b_ih", "<script>", 3, ["b_hh"]]
    assert read_outcome(frame, CASE).changed == ("b_ih",)


def test_text_is_cut_and_cleaned() -> None:
    assert clean("a\x1b[31mb\x00\u202ec\ud800d\te\n") == "a[31mbcd\te\n"
    assert clean("x" * MAX_TEXT) == "x" * MAX_TEXT
    assert clean("x" * (MAX_TEXT + 1)) == "x" * MAX_TEXT + "…"
    with pytest.raises(ProtocolError):
        clean(None)


def test_the_kinds_of_problems_are_those_of_the_drivers() -> None:
    assert protocol.KINDS == ("unfilled", "raised", "result")
