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

from rnncourse.checks.drivers import Outcome, Problem
from rnncourse.checks.plan import Case, plan_of
from rnncourse.grading.sandbox.deadline import Deadline
from rnncourse.grading.worker import messages
from rnncourse.grading.worker.messages import (
    MAX_FIGURE,
    Form,
    figure_arrays,
    figures_in,
    is_figure,
    outcome_frame,
    read_outcome,
)
from rnncourse.grading.worker.protocol import (
    DTYPES,
    MAX_BODY,
    MAX_HEADER,
    MAX_TEXT,
    Frame,
    ProtocolError,
    Reader,
    Timeout,
    clean,
    clean_list,
    encode,
    send,
)

Pair = tuple[socket.socket, socket.socket]
CASE = Case(
    "a case",
    {"b_ih": torch.ones(8), "b_hh": torch.ones(8), "value": torch.tensor(1.0)},
    {"b_ih": torch.ones(8)},
)


FORM = Form.of(plan_of("set_forget_bias"), CASE)


MINUTES = 600
"""Seconds that nothing takes which does not hang."""


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def receive(peer: socket.socket, timeout: Timeout | None = None) -> Frame:
    return Reader(peer).frame(timeout or Deadline(MINUTES))


def send_raw(peer: socket.socket, header: object, body: bytes = b"") -> None:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    peer.sendall(struct.pack("<II", len(raw), len(body)) + raw + body)


def through(pair: Pair, frame: Frame) -> Frame:
    send(pair[0], frame)
    return receive(pair[1])


def complete_outcome() -> Outcome:
    arrays = {name: torch.ones(8) for name in ("b_ih", "b_hh")}
    return Outcome(arrays, dict(arrays))


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


def test_a_result_and_a_gradient_may_have_one_name(pair: Pair) -> None:
    got = through(pair, Frame({}, {"x": torch.zeros(2)}, {"x": torch.ones(3)}))
    assert (got.arrays["x"].tolist(), got.gradients["x"].tolist()) == ([0, 0], [1, 1, 1])


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
@pytest.mark.parametrize("group", ["arrays", "gradients"])
def test_a_frame_that_is_none_is_refused_each_time(pair: Pair, header: object, group: str) -> None:
    if isinstance(header, dict) and "arrays" in header:
        header = {"arrays": [], "gradients": [], group: header["arrays"]}
    for _ in range(2):  # what was read once is remembered, what was refused is not
        send_raw(pair[0], header)
        with pytest.raises(ProtocolError):
            receive(pair[1])


def test_a_body_longer_than_its_arrays_is_refused(pair: Pair) -> None:
    send_raw(pair[0], {"arrays": [["x", "float32", [1]]], "gradients": []}, b"12345")
    with pytest.raises(ProtocolError, match="not as long"):
        receive(pair[1])


@pytest.mark.parametrize("lengths", [(MAX_HEADER + 1, 0), (0, MAX_BODY + 1), (2**32 - 1,) * 2])
def test_a_length_over_the_limit_is_refused_before_anything_follows(
    pair: Pair, lengths: tuple[int, int]
) -> None:
    pair[0].sendall(struct.pack("<II", *lengths))
    with pytest.raises(ProtocolError, match="too long"):
        receive(pair[1])


def test_booleans_are_zero_or_one(pair: Pair) -> None:
    send_raw(pair[0], {"arrays": [["x", "bool", [3]]], "gradients": []}, b"\x00\x01\xff")
    got = receive(pair[1]).arrays["x"]
    assert got.view(torch.uint8).tolist() == [0, 1, 1]


def test_a_peer_that_closes_in_the_middle_is_noticed(pair: Pair) -> None:
    pair[0].sendall(struct.pack("<II", 10, 0) + b"{")
    pair[0].close()
    with pytest.raises(EOFError):
        receive(pair[1])


def test_trickled_bytes_do_not_move_the_deadline(pair: Pair) -> None:
    def trickle() -> None:
        for byte in struct.pack("<II", 1000, 0) + b" " * 1000:
            time.sleep(0.05)
            try:
                pair[0].send(bytes([byte]))
            except OSError:
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    with pytest.raises(TimeoutError):
        receive(pair[1], Deadline(0.5))
    pair[1].close()
    thread.join()


def test_a_peer_that_does_not_read_does_not_move_the_deadline(pair: Pair) -> None:
    with pytest.raises(TimeoutError):
        send(pair[0], Frame({}, {"x": torch.zeros(MAX_BODY // 4)}), Deadline(0.3))


def test_a_deadline_in_the_past_is_over(pair: Pair) -> None:
    send(pair[0], Frame({}))
    with pytest.raises(TimeoutError):
        receive(pair[1], Deadline(-1))


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
    outcome = read_outcome(through(pair, frame), FORM)
    assert outcome.problem and outcome.problem.kind == "result"
    assert outcome.problem.text.startswith("b_ih ")


def test_an_outcome_comes_back(pair: Pair) -> None:
    sent = complete_outcome()
    sent.changed = ("value",)
    got = read_outcome(through(pair, outcome_frame(sent)), FORM)
    assert got.changed == ("value",)
    assert got.problem is None and got.gradient_problem is None
    assert set(got.arrays) == set(got.gradients) == set(sent.arrays)


@pytest.mark.parametrize("kind", ["unfilled", "raised", "result"])
def test_problems_come_back(pair: Pair, kind: Any) -> None:
    problem = Problem(kind, "it raised ValueError: a", "lstm_cell" if kind == "unfilled" else "")
    got = read_outcome(through(pair, outcome_frame(Outcome(problem=problem))), FORM)
    assert got == Outcome(problem=problem)


def test_a_gradient_problem_stands_for_the_gradients(pair: Pair) -> None:
    sent = complete_outcome()
    sent.gradients = {}
    sent.gradient_problem = Problem("result", "no gradient")
    got = read_outcome(through(pair, outcome_frame(sent)), FORM)
    assert got.gradient_problem == sent.gradient_problem
    assert set(got.arrays) == set(sent.arrays)


@pytest.mark.parametrize("part", ["arrays", "gradients"])
def test_what_is_left_out_does_not_pass(part: str) -> None:
    sent = complete_outcome()
    del getattr(sent, part)["b_hh"]
    with pytest.raises(ProtocolError, match="not those"):
        read_outcome(outcome_frame(sent), FORM)


def test_more_than_was_asked_for_does_not_pass() -> None:
    sent = complete_outcome()
    sent.gradients["value"] = torch.tensor(0.0)
    with pytest.raises(ProtocolError, match="not those"):
        read_outcome(outcome_frame(sent), FORM)


@pytest.mark.parametrize("wrong", [torch.ones(1), torch.ones(8, dtype=torch.float64)])
def test_a_gradient_has_its_inputs_shape_and_dtype(wrong: torch.Tensor) -> None:
    sent = complete_outcome()
    sent.gradients["b_ih"] = wrong
    with pytest.raises(ProtocolError, match="shape and dtype"):
        read_outcome(outcome_frame(sent), FORM)


@pytest.mark.parametrize(
    "header",
    [
        {"problem": ["passed", "text", ""]},
        {"problem": [["raised"], "text", ""]},
        {"problem": ["raised", "text"]},
        {"problem": "raised"},
        {"problem": ["raised", 3, ""]},
        {"problem": ["raised", "text", 3]},
        {"gradient_problem": {}},
        {},
    ],
)
def test_an_outcome_of_another_form_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        read_outcome(Frame(header, complete_outcome().arrays, complete_outcome().gradients), FORM)


def test_names_of_changed_inputs_are_ours() -> None:
    frame = outcome_frame(complete_outcome())
    frame.header["changed"] = ["b_ih", "<script>", 3, ["b_hh"]]
    assert read_outcome(frame, FORM).changed == ("b_ih",)


def test_text_is_cut_and_cleaned() -> None:
    assert clean("a\x1b[31mb\x00\u202ec\ud800d\te\n") == "a[31mbcd\te\n"
    assert clean("x" * MAX_TEXT) == "x" * MAX_TEXT
    assert clean("x" * (MAX_TEXT + 1)) == "x" * MAX_TEXT + "…"
    with pytest.raises(ProtocolError):
        clean(None)


def test_the_kinds_of_problems_are_those_of_the_drivers() -> None:
    assert messages.KINDS == ("unfilled", "raised", "result")


def test_a_list_of_texts_is_one() -> None:
    assert clean_list(["a\x1b", "b"], 2) == ("a", "b")
    for wrong in ("ab", None, {}, [3], [["a"]], ["a", "b", "c"]):
        with pytest.raises(ProtocolError):
            clean_list(wrong, 2)


# ------------------------------------------------------------------ reading ahead, and limits


def test_frames_that_come_together_are_read_one_by_one(pair: Pair) -> None:
    frames = [Frame({"k": k}, {"x": torch.full((k,), float(k))}) for k in range(5)]
    pair[0].sendall(b"".join(map(encode, frames)))
    reader = Reader(pair[1], ahead=True)
    for k in range(5):
        got = reader.frame(Deadline(MINUTES))
        assert got.header == {"k": k}
        assert torch.equal(got.arrays["x"], torch.full((k,), float(k)))


def test_a_frame_that_comes_in_pieces_is_read(pair: Pair) -> None:
    encoded = encode(Frame({"a": 1}, {"x": torch.arange(100)}))

    def trickle() -> None:
        for k in range(0, len(encoded), 100):
            pair[0].sendall(encoded[k : k + 100])
            time.sleep(0.01)

    thread = threading.Thread(target=trickle)
    thread.start()
    got = Reader(pair[1], ahead=True).frame(Deadline(MINUTES))
    thread.join()
    assert torch.equal(got.arrays["x"], torch.arange(100))


def test_patience_is_asked_again_after_each_wait(pair: Pair) -> None:
    asked = []

    def timeout() -> float:
        asked.append(1)
        if len(asked) > 3:
            raise TimeoutError("that was all")
        return 0.01

    with pytest.raises(TimeoutError, match="that was all"):
        receive(pair[1], timeout)
    assert len(asked) == 4


def test_what_one_peer_may_send_is_limited(pair: Pair) -> None:
    encoded = encode(Frame({}, {"x": torch.zeros(100)}))
    reader = Reader(pair[1], limit=2 * len(encoded))
    pair[0].sendall(encoded * 3)
    reader.frame(Deadline(MINUTES))
    reader.frame(Deadline(MINUTES))
    with pytest.raises(ProtocolError, match="too many or too long"):
        reader.frame(Deadline(MINUTES))


def test_a_header_that_comes_again_is_as_it_was(pair: Pair) -> None:
    first = through(pair, Frame({"a": 1}, {"x": torch.ones(2)}))
    first.header["a"] = 2
    first.arrays["x"] += 1
    second = through(pair, Frame({"a": 1}, {"x": torch.ones(2)}))
    assert second.header == {"a": 1}
    assert second.arrays["x"].tolist() == [1, 1]


def test_the_same_header_with_another_body_is_refused(pair: Pair) -> None:
    header = {"arrays": [["x", "float32", [1]]], "gradients": []}
    send_raw(pair[0], header, b"1234")
    receive(pair[1])
    send_raw(pair[0], header, b"12345678")
    with pytest.raises(ProtocolError, match="not as long"):
        receive(pair[1])


# ------------------------------------------------------------------ figures


def png(width: int, height: int, length: int = 100) -> bytes:
    begins = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)
    return begins.ljust(length, b"x")


def test_figures_come_back(pair: Pair) -> None:
    assert is_figure(png(4000, 4000, MAX_FIGURE))
    files = (png(10, 20), png(4000, 4000, 50_000))
    assert figures_in(through(pair, Frame({}, figure_arrays(files)))) == files
    assert figures_in(through(pair, Frame({}))) == ()


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"x" * 100,
        b"\xff\xd8\xff" + b"x" * 100,
        png(0, 10),
        png(10, 4001),
        png(2**32 - 1, 10),
        png(10, 10, MAX_FIGURE + 1),
        png(10, 10)[:20],
        png(10, 10).replace(b"IHDR", b"IDAT"),
        png(10, 10).replace(b"\r\n", b"\n\n"),
    ],
)
def test_what_is_no_figure_is_refused(file: bytes) -> None:
    assert not is_figure(file)
    with pytest.raises(ProtocolError):
        figures_in(Frame({}, {"figure 0": torch.tensor(list(file), dtype=torch.uint8)}))


def test_a_figure_of_numbers_is_refused() -> None:
    with pytest.raises(ProtocolError, match="bytes"):
        figures_in(Frame({}, {"figure 0": torch.ones(100)}))
