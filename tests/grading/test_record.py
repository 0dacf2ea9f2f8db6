"""A record survives the journey to its file and back."""

from __future__ import annotations

from dataclasses import replace

from rnncourse.checks.report import Mistake, Report, StageReport
from rnncourse.grading.record import (
    ByHand,
    CellNote,
    ExerciseRecord,
    Marked,
    Record,
    from_json,
    report_rows,
    to_json,
)

REPORT = Report(
    "lstm_cell",
    (StageReport("shapes", "failed", ("h' has shape (3, 4).",), by_probe=True),),
    Mistake("gates_ifog", "Your gates are in the order i, f, o, g."),
)
RECORD = Record(
    "ada",
    "lstm",
    (
        ExerciseRecord(
            "lstm_cell", 1.5, 4, "partial", "é", "gates_ifog", REPORT, "x = 1", "a note"
        ),
        ExerciseRecord("lstm_layer", None, 4, "passed", "m", flags=("it uses torch.lstm",)),
    ),
    "bubblewrap",
    (CellNote("print(1)", "1\n", "", ("iVBORw0KGgo=",)),),
    ("It was called lstm (1).ipynb.",),
    "ab12",
    "cd34",
)


def test_a_record_comes_back_as_it_was() -> None:
    assert from_json(to_json(RECORD)) == RECORD


def test_a_brief_record_has_all_that_lists_show() -> None:
    brief = RECORD.brief()
    assert report_rows([Marked(brief)]) == report_rows([Marked(RECORD)])
    assert brief.repairs == RECORD.repairs
    assert "x = 1" not in to_json(brief) and "print" not in to_json(brief)


def test_marks_by_hand_count_in_place_of_the_automatic_ones() -> None:
    assert RECORD.points == 1.5
    by_hand = ByHand(scores={"lstm_layer": 3}, extra={"lstm_cell": 1}, penalty=0.5)
    assert by_hand.points(RECORD) == 1.5 + 3 + 1 - 0.5
    assert ByHand(penalty=9).points(RECORD) == 0


def test_the_report_has_no_verdict_of_its_own_for_sleeping() -> None:
    slept = replace(RECORD, exercises=(ExerciseRecord("lstm_cell", 0, 4, "slept", "it slept"),))
    (row,) = report_rows([Marked(slept)])
    assert (row["verdict"], row["message"]) == ("timeout", "it slept")


def test_the_report_holds_the_mark_that_stands() -> None:
    assert [row["points"] for row in report_rows([Marked(RECORD)])] == [1.5, None]
    by_hand = ByHand(scores={"lstm_layer": 3})
    assert [row["points"] for row in report_rows([Marked(RECORD, by_hand)])] == [1.5, 3]


def test_a_record_waits_until_a_person_has_given_a_mark() -> None:
    assert Marked(RECORD).waits
    assert not Marked(RECORD, ByHand(scores={"lstm_layer": 0})).waits


def test_a_mark_by_hand_settles_a_refusal() -> None:
    broken = ExerciseRecord("lstm_cell", 0.0, 4, "refused", "lstm.ipynb is empty.")
    refused = Record("ada", "lstm", (broken,), "not run")
    assert Marked(refused).refused == "lstm.ipynb is empty."
    assert Marked(refused, ByHand(scores={"lstm_cell": 2})).refused == ""
