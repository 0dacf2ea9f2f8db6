"""What a check says, and where it says it."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import rnncourse.lstm
from rnncourse import check, fill
from rnncourse._exercise import FillError, find
from rnncourse.checks import CheckFailedError, examine
from rnncourse.checks.display import ALL_BY_PROBE, SOME_BY_PROBE, html, text
from rnncourse.checks.report import Report
from tools.answers import known, solution

DEVICE = "stays on the device"
SECOND_CALL = "a second call on the same inputs gives other results"


def examined(name: str, function: Any) -> Report:
    entry = find(name)
    entry.filled = function
    return examine(entry)


def cell_report(change: Any) -> Report:
    """The report of a right cell whose results `change` alters."""
    right = solution("lstm_cell")
    return examined("lstm_cell", lambda *a, **k: change(*right(*a, **k)))


def sentences(report: Report, stage: str) -> str:
    return " ".join(next(s for s in report.stages if s.name == stage).sentences)


def statuses(report: Report) -> dict[str, str]:
    return {stage.name: stage.status for stage in report.stages}


def wrong(id: str) -> Any:
    return next(k.function for k in known("lstm") if k.mistake.id == id)


def test_a_right_function_passes_and_is_not_promised_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    find("lstm_cell").filled = solution("lstm_cell")
    assert check(rnncourse.lstm.lstm_cell) is None
    printed = capsys.readouterr()
    assert "13 of 13 public checks passed; hidden ones run at grading." in printed.out
    assert "all passed" not in printed.out.lower()
    assert printed.err == ""


def test_one_term_at_a_time() -> None:
    report = examined("lstm_cell", wrong("second_bias_forgotten"))
    assert report.mistake and report.mistake.id == "second_bias_forgotten"
    status = statuses(report)
    assert status["only the biases"] == status["all terms together"] == "failed"
    assert status["only x and its weights"] == status["only h and its weights"] == "passed"
    assert status["gradients"] == "not reached"


def test_the_first_wrong_number_is_shown_with_its_place() -> None:
    def change(h, c):
        h = h.clone()
        h[-1, 1:2] += 1
        return h, c

    said = sentences(cell_report(change), "all terms together")
    assert "1 of 8 numbers differ; the first is h'[1, 1] (sequence 1, unit 1): yours is" in said
    assert "it should be" in said


def test_shapes_are_named_by_their_axes() -> None:
    said = sentences(cell_report(lambda h, c: (h.T, c)), "shapes")
    assert said == (
        "h' has shape (4, 2); it must be (2, 4) = (N, H): the axes are in another order."
    )
    said = sentences(cell_report(lambda h, c: (h, c[None])), "shapes")
    assert "c' has shape (1, 2, 4); it must be (2, 4)" in said and "3 axes instead of 2" in said


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda h, c: None, "it must return h', c'; yours returns None: is the return missing?"),
        (lambda h, c: h, "yours returns a Tensor of shape (2, 4)."),
        (lambda h, c: (h, c, c), "h', c', 2 values; yours returns 3."),
        (lambda h, c: (h.numpy(), c), "h' must be a tensor; yours is an ndarray of shape (2, 4)."),
        (lambda h, c: (h.tolist(), c), "h' must be a tensor; yours is a list."),
        (lambda h, c: {"h": h, "c": c}, "yours returns a dict."),
    ],
)
def test_what_is_no_result_is_described(change: Any, sentence: str) -> None:
    assert sentence in sentences(cell_report(change), "shapes")


def _leave(*results: Any) -> None:
    from IPython.core.autocall import ExitAutocall

    ExitAutocall(SimpleNamespace())()  # type: ignore[no-untyped-call]  # a shell in no terminal


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda h, c: sys.exit(3), "it raised SystemExit: it called exit, which ends the whole"),
        (_leave, "it raised SystemExit: it called exit, which ends the whole program"),
        (lambda h, c: torch.empty(10**15), "it raised MemoryError: it asked for more memory than"),
        (lambda h, c: [0] * 10**17, "it raised MemoryError: it asked for more memory than there"),
    ],
)
def test_what_would_tell_of_the_insides_is_said_plainly(change: Any, sentence: str) -> None:
    said = sentences(cell_report(change), "shapes")
    assert sentence in said
    assert "ask_exit" not in said and "alloc_cpu" not in said


def test_an_exception_comes_with_the_learners_own_line() -> None:
    def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
        return x @ w_ih, c

    said = sentences(examined("lstm_cell", lstm_cell), "shapes")
    assert (
        "it raised RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 16x3)" in said
    )
    assert "in lstm_cell:  return x @ w_ih, c  — Given: x (2, 3), h (2, 4)" in said


def test_gradients_are_checked_by_parameter() -> None:
    report = examined("lstm_cell", wrong("cell_state_detached"))
    status = statuses(report)
    assert status["all terms together"] == "passed" and status["gradients"] == "failed"
    assert sentences(report, "gradients").startswith("no gradient reaches c:")

    said = sentences(cell_report(lambda h, c: (h.detach(), c.detach())), "gradients")
    assert "no gradient can flow back" in said


def test_float64_must_stay() -> None:
    said = sentences(cell_report(lambda h, c: (h.float(), c)), "float64 in, float64 out")
    assert said == "h' is float32 for inputs of float64."
    report = cell_report(lambda h, c: (h.float().to(h.dtype), c))
    assert "more than float64 rounding" in sentences(report, "float64 in, float64 out")


def test_the_device_must_stay() -> None:
    def set_forget_bias(b_ih, b_hh, value):
        size = len(b_ih) // 4
        new = torch.cat(
            [b_ih[:size], torch.full((size,), value, dtype=b_ih.dtype), b_ih[2 * size :]]
        )
        return new, b_hh * (torch.arange(4 * size) // size != 1)

    report = examined("set_forget_bias", set_forget_bias)
    assert "a tensor it makes is not on the device of the" in sentences(report, DEVICE)
    assert statuses(report)["the forget gate's biases"] == "passed"

    def left_behind(b_ih, b_hh, value):
        b_ih, b_hh = solution("set_forget_bias")(b_ih, b_hh, value)
        return torch.empty_like(b_ih, device="cpu") if b_ih.is_meta else b_ih, b_hh

    report = examined("set_forget_bias", left_behind)
    assert "b_ih is not on the device of the inputs" in sentences(report, DEVICE)


def test_what_only_a_real_device_can_do_is_no_mistake() -> None:
    def look(h, c):
        assert torch.isfinite(c).all() and h.mean().item() < 1
        return h, c

    report = cell_report(look)
    assert report.complete and DEVICE not in statuses(report)


def test_results_elsewhere_and_unusual_tensors_get_a_sentence() -> None:
    report = cell_report(lambda h, c: (h.to("meta"), c))
    assert "h' is not on the device of the inputs" in sentences(report, "shapes")
    report = cell_report(lambda h, c: (h.to_sparse(), c))
    assert sentences(report, "shapes") == "h' must be an ordinary, dense tensor."


def test_something_kept_between_calls_is_said() -> None:
    kept = []

    def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
        h_next, c_next = solution("lstm_cell")(x, h, c, w_ih, w_hh, b_ih, b_hh)
        inputs = [v.tolist() for v in (x, h, c, w_ih, w_hh, b_ih, b_hh)]
        kept.append(inputs)
        return h_next + (kept.count(inputs) > 1), c_next

    report = examined("lstm_cell", lstm_cell)
    assert sentences(report, "gradients").startswith(SECOND_CALL)
    assert statuses(report)["all terms together"] == "passed"


def test_something_drawn_at_random_is_said_once() -> None:
    report = cell_report(lambda h, c: (torch.nn.functional.dropout(h), c))
    assert sentences(report, "only the biases").startswith(SECOND_CALL)


def test_a_wrong_function_that_gives_the_same_again_gets_its_numbers() -> None:
    report = cell_report(lambda h, c: (h + 1, c))
    assert "numbers differ" in sentences(report, "only the biases")


def test_a_layer_that_changes_the_weights_is_wrong_around_a_right_cell() -> None:
    find("lstm_cell").filled = solution("lstm_cell")

    def lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
        size = h0.shape[1]
        b_ih = b_ih + torch.cat([b_ih[:size] * 0, b_ih[:size] * 0 + 1, b_ih[: 2 * size] * 0])
        return solution("lstm_layer")(x, h0, c0, w_ih, w_hh, b_ih, b_hh)

    assert not examined("lstm_layer", lstm_layer).complete


def test_a_right_layer_around_an_empty_or_failing_cell_is_right() -> None:
    layer = solution("lstm_layer")
    space = dict(layer.__globals__)
    own = types.FunctionType(layer.__code__, space, "lstm_layer")
    for cell in (None, lambda *a: 1 / 0):
        find("lstm_cell").filled = cell
        space["lstm_cell"] = rnncourse.lstm.lstm_cell
        report = examined("lstm_layer", own)
        assert report.complete, text(report)


def test_inputs_must_stay_as_they_are() -> None:
    def set_forget_bias(b_ih, b_hh, value):
        size = len(b_ih) // 4
        b_ih[size : 2 * size] = value
        b_hh[size : 2 * size] = 0
        return b_ih, b_hh

    report = examined("set_forget_bias", set_forget_bias)
    said = sentences(report, "leaves its inputs unchanged")
    assert "b_ih is changed in place" in said and "b_hh is changed in place" in said
    assert statuses(report)["the forget gate's biases"] == "passed"


def test_results_of_another_kind_of_number_are_wrong_and_no_crash() -> None:
    for change in (lambda h, c: (h > 0, c > 0), lambda h, c: (h.long(), c.long())):
        report = cell_report(change)
        assert statuses(report)["all terms together"] == "failed"


def test_nan_is_called_so() -> None:
    report = cell_report(lambda h, c: (h / 0 * 0, c))
    assert "is not a number (NaN)" in sentences(report, "all terms together")


def test_a_wrong_cell_is_not_paid_for_twice() -> None:
    find("lstm_cell").filled = wrong("gates_ifog")

    def lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
        h, c, output = h0, c0, []
        for x_t in x:
            h, c = rnncourse.lstm.lstm_cell(x_t, h, c, w_ih, w_hh, b_ih, b_hh)
            output.append(h)
        return torch.stack(output), (h, c)

    report = examined("lstm_layer", lstm_layer)
    assert report.complete and any(stage.by_probe for stage in report.stages)
    assert ALL_BY_PROBE in text(report)


def test_a_wrong_loop_around_a_wrong_cell_is_still_named() -> None:
    find("lstm_cell").filled = wrong("gates_ifog")

    def lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
        output = []
        for x_t in x:
            h, c = rnncourse.lstm.lstm_cell(x_t, h0, c0, w_ih, w_hh, b_ih, b_hh)
            output.append(h)
        return torch.stack(output), (h, c)

    report = examined("lstm_layer", lstm_layer)
    assert report.mistake and report.mistake.id == "states_not_carried"
    assert any(stage.by_probe for stage in report.stages)
    assert SOME_BY_PROBE in text(report)
    assert ALL_BY_PROBE not in text(report)


def test_unfilled_is_not_wrong() -> None:
    @fill
    def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
        raise NotImplementedError()

    report = examine(find("lstm_cell"))
    assert report.unfilled.startswith("lstm_cell is not filled in yet.")
    assert not report.complete and report.mistake is None
    assert text(report).count("\n") == 0


def test_a_plain_function_is_filled_on_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    def set_forget_bias(b_ih, b_hh, value):
        return solution("set_forget_bias")(b_ih, b_hh, value)

    check(set_forget_bias)
    assert "set_forget_bias is filled in with your function now" in capsys.readouterr().out
    assert find("set_forget_bias").filled is set_forget_bias
    check(set_forget_bias)
    assert "is filled in with your function now" not in capsys.readouterr().out


@pytest.mark.parametrize("thing", [torch.nn.LSTM(1, 1), "lstm_cell", None])
def test_check_takes_functions_only(thing: Any) -> None:
    with pytest.raises(FillError, match="check takes an exercise's function, and this is"):
        check(thing)


def test_under_nbgrader_a_failed_check_is_one_short_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check(rnncourse.lstm.lstm_cell)
    monkeypatch.setenv("NBGRADER_VALIDATING", "1")
    with pytest.raises(CheckFailedError, match="lstm_cell: 0 of 13 checks passed"):
        check(rnncourse.lstm.lstm_cell)
    find("lstm_cell").filled = solution("lstm_cell")
    assert check(rnncourse.lstm.lstm_cell) is None


def test_html_escapes_what_comes_from_a_learner() -> None:
    def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
        raise ValueError("<script>alert(1)</script>")

    page = html(examined("lstm_cell", lstm_cell))
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_a_check_changes_no_random_stream() -> None:
    find("lstm_cell").filled = solution("lstm_cell")
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    examine(find("lstm_cell"))
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize("name", ["one_hot", "training_step", "lstm_cell"])
def test_a_notebooks_own_default_dtype_and_device_are_no_fault(name: str) -> None:
    find(name).filled = solution(name)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):
            assert examine(find(name)).complete
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_import_leaves_heavy_packages_alone() -> None:
    code = (
        "import json, sys, torch; before = set(sys.modules); import rnncourse;"
        "print(json.dumps(sorted({m.partition('.')[0] for m in set(sys.modules) - before})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "rnncourse" in loaded
    assert not loaded & {"IPython", "matplotlib", "rich", "typer", "nbgrader", "jinja2"}
