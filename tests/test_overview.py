"""What a notebook shows of all exercises."""

from __future__ import annotations

import torch

import rnncourse
from rnncourse import fill
from rnncourse._exercise import exercises, find
from tools.answers import solution


def test_the_exercises_are_listed_in_the_order_of_the_course() -> None:
    table = rnncourse.exercises()
    assert [row[1] for row in table.rows] == [*exercises()]
    assert all(about for _, _, about in table.rows)
    assert repr(table).splitlines()[1].split()[:2] == ["shapes", "rnn_output_shapes"]
    assert "<td>lstm_cell</td>" in table._repr_html_()


def test_progress_tells_what_is_filled_in_here_and_how_far_it_is() -> None:
    find("rnn_cell").filled = solution("rnn_cell")

    @fill
    def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
        return h + 1, c

    @fill
    def gru_cell(x, h, w_ih, w_hh, b_ih, b_hh):
        return torch.gru_cell(x, h, w_ih, w_hh, b_ih, b_hh)

    found = {row[1]: row[2:] for row in rnncourse.progress().rows}
    assert found.keys() == exercises().keys()
    passed, stages = found["rnn_cell"][0].split(" of ")
    assert passed == stages and found["rnn_cell"][1] == "done"
    assert found["lstm_cell"] == ("2 of 13", "not right yet")
    assert found["gru_cell"][1] == "ready-made"
    assert found["embed"] == ("", "not filled in")


def test_what_stands_in_a_table_is_no_html() -> None:
    table = type(rnncourse.exercises())(("a",), (("<b>",),))
    assert "<td>&lt;b&gt;</td>" in table._repr_html_()
