"""Stubs: filling, calling, and what is said when either goes wrong."""

from __future__ import annotations

import importlib
import inspect
import traceback
from typing import Annotated

import pytest
import torch
from torch import Tensor

import rnncourse.lstm
from rnncourse import demo, fill
from rnncourse._axes import with_shapes
from rnncourse._exercise import FillError, UnfilledError, exercises, find, outline, substituted
from tools.answers import solution

CELL = ("x", "h", "c", "w_ih", "w_hh", "b_ih", "b_hh")


def numbers() -> list[torch.Tensor]:
    shapes = [(2, 3), (2, 4), (2, 4), (16, 3), (16, 4), (16,), (16,)]
    return [torch.rand(shape) for shape in shapes]


def test_a_filled_stub_runs_the_learners_function() -> None:
    def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
        return h + 1, c + 1

    assert fill(lstm_cell) is lstm_cell
    arguments = numbers()
    h, _ = rnncourse.lstm.lstm_cell(*arguments)
    assert torch.equal(h, arguments[1] + 1)


def test_filling_again_replaces_the_first_function() -> None:
    for number in (1, 2):
        fill(returning(number))
    assert rnncourse.lstm.set_forget_bias(None, None, 0.0) == 2


def returning(number: int):
    def set_forget_bias(b_ih, b_hh, value):
        return number

    return set_forget_bias


def test_fill_copies_the_docstring_but_keeps_a_learners_own() -> None:
    def set_forget_bias(b_ih, b_hh, value):
        return b_ih, b_hh

    fill(set_forget_bias)
    assert set_forget_bias.__doc__ == rnncourse.lstm.set_forget_bias.__doc__
    set_forget_bias.__doc__ = "Mine."
    assert fill(set_forget_bias).__doc__ == "Mine."


def test_an_unfilled_stub_says_which_and_where() -> None:
    with pytest.raises(
        UnfilledError, match=r"lstm_cell is not filled in yet.*the notebook lstm\.ipynb"
    ):
        rnncourse.lstm.lstm_cell(*numbers())


def test_a_cell_as_released_counts_as_unfilled() -> None:
    @fill
    def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
        raise NotImplementedError()

    with pytest.raises(UnfilledError, match="lstm_cell is not filled in"):
        rnncourse.lstm.lstm_cell(*numbers())


def test_a_line_that_was_not_deleted_is_named() -> None:
    @fill
    def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
        sums = x.matmul(w_ih.T)
        raise NotImplementedError()
        return sums

    with pytest.raises(UnfilledError, match="still holds the line raise NotImplementedError"):
        rnncourse.lstm.lstm_cell(*numbers())


def test_an_empty_cell_inside_a_filled_layer_is_named() -> None:
    @fill
    def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
        raise NotImplementedError

    @fill
    def lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
        return lstm_cell(x[0], h0, c0, w_ih, w_hh, b_ih, b_hh)

    with pytest.raises(UnfilledError, match="lstm_cell is not filled in"):
        rnncourse.lstm.lstm_layer(*numbers())


def test_an_operation_that_torch_lacks_is_not_an_empty_exercise() -> None:
    @fill
    def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
        raise NotImplementedError("'foo' is not implemented for 'CPU'")

    with pytest.raises(NotImplementedError, match="foo") as caught:
        rnncourse.lstm.lstm_cell(*numbers())
    assert not isinstance(caught.value, UnfilledError)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        (CELL[:-1], "lacks b_hh"),
        ((*CELL, "bias"), "has bias, which the exercise does not"),
        (("x", "c", "h", *CELL[3:]), r"another order: \(x, c, h"),
        ((*CELL[:-1], "b_hidden"), "b_hidden where b_hh should be"),
        ((*CELL[:-1], "b_hh=None"), "the default of b_hh must be left out"),
        (("*x", *CELL[1:]), "x must be an ordinary parameter"),
    ],
)
def test_other_parameters_are_refused_and_named(parameters: tuple[str, ...], sentence: str) -> None:
    space: dict[str, object] = {}
    exec(f"def lstm_cell({', '.join(parameters)}): pass", space)
    with pytest.raises(FillError, match=sentence):
        fill(space["lstm_cell"])
    assert find("lstm_cell").filled is None


def test_a_misspelt_name_gets_the_nearest() -> None:
    def lstm_cel(x):
        pass

    with pytest.raises(FillError, match="no exercise called lstm_cel: did you mean lstm_cell?"):
        fill(lstm_cel)


@pytest.mark.parametrize(
    ("thing", "kind"),
    [(None, "None"), (3, "an int"), (torch.nn.LSTM(1, 1), "an LSTM"), (torch.ones(2), r"\(2,\)")],
)
def test_what_is_no_function_is_refused(thing: object, kind: str) -> None:
    with pytest.raises(FillError, match=kind):
        fill(thing)


def test_reloading_a_module_does_not_forget_what_was_filled() -> None:
    fill(returning(7))
    importlib.reload(rnncourse.lstm)
    assert rnncourse.lstm.set_forget_bias(None, None, 0.0) == 7
    earlier = rnncourse.lstm.set_forget_bias
    importlib.reload(rnncourse.lstm)
    fill(returning(8))
    assert earlier(None, None, 0.0) == 8


def test_the_stubs_frames_hide_from_tracebacks() -> None:
    @fill
    def set_forget_bias(b_ih, b_hh, value):
        return b_ih / None

    with pytest.raises(TypeError) as caught:
        rnncourse.lstm.set_forget_bias(torch.ones(4), torch.ones(4), 0.0)
    frames = traceback.extract_tb(caught.value.__traceback__)
    hidden = [
        frame.f_locals.get("__tracebackhide__", False)
        for frame, _ in traceback.walk_tb(caught.value.__traceback__)
    ]
    assert [frame.name for frame, hide in zip(frames, hidden, strict=True) if not hide] == [
        "test_the_stubs_frames_hide_from_tracebacks",
        "set_forget_bias",
    ]


def test_every_stub_is_typed_documented_and_empty() -> None:
    for entry in exercises().values():
        signature = entry.signature
        assert signature.return_annotation is not inspect.Signature.empty, entry.name
        for parameter in signature.parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty, (entry.name, parameter)
            assert parameter.name in (entry.body.__doc__ or ""), (entry.name, parameter)
        for part in ("Args:", "Returns:", "Example:", "Source:"):
            assert part in (entry.body.__doc__ or ""), (entry.name, part)
        with pytest.raises(UnfilledError):
            entry.stub(*[None] * len(signature.parameters))


def test_shapes_stand_behind_arguments_and_results_and_nowhere_else() -> None:
    def double(x: Annotated[Tensor, "T N"]) -> Annotated[Tensor, "T N", "y"]:
        """Twice x.

        Args:
            x: a tensor.

        Returns:
            y: another.

        Example:
            >>> y: Tensor = double(x)  # two  blanks
        """
        return 2 * x

    written = with_shapes(double) or ""
    assert "    x (T, N): a tensor.\n" in written
    assert "    y (T, N): another.\n" in written
    assert "    >>> y: Tensor = double(x)  # two  blanks" in written


def test_play_goes_on_where_something_is_not_filled(capsys: pytest.CaptureFixture[str]) -> None:
    with demo():
        rnncourse.lstm.lstm_cell(*numbers())
    assert "Nothing to see yet: lstm_cell is not filled in" in capsys.readouterr().out

    def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
        raise NotImplementedError()

    fill(lstm_cell)
    with demo():
        lstm_cell(*numbers())
    assert "lstm_cell is not filled in" in capsys.readouterr().out
    with demo():
        raise NotImplementedError("no such kernel")
    assert "NotImplementedError: no such kernel. Make the checks" in capsys.readouterr().out
    with demo():
        print(1 / 0)
    assert "Nothing to see yet: ZeroDivisionError: division" in capsys.readouterr().out


def test_a_probe_reaches_the_learners_own_globals_and_leaves_no_trace() -> None:
    space: dict[str, object] = {"cell_calls": []}
    exec("def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh): return 'own'", space)
    own = space["lstm_cell"]
    exec("def lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh): return lstm_cell(*[0] * 7)", space)
    fill(own)
    layer = fill(space["lstm_layer"])
    with substituted({"lstm_cell": lambda *args: "probe"}, user=layer):
        assert layer(*[None] * 7) == "probe"
        assert rnncourse.lstm.lstm_cell(*[None] * 7) == "probe"
    assert layer(*[None] * 7) == "own"
    assert space["lstm_cell"] is own and find("lstm_cell").filled is own


def test_a_body_in_the_package_itself_works_too(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = find("set_forget_bias")
    monkeypatch.setattr(entry, "body", solution("set_forget_bias"))
    b_ih, _ = entry.stub(torch.zeros(8), torch.zeros(8), 1.0)
    assert b_ih.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_the_outline_holds_every_exercise() -> None:
    written = [(name, chapter) for chapter, own in outline().items() for name in own]
    assert written == [(entry.name, entry.chapter) for entry in exercises().values()]
