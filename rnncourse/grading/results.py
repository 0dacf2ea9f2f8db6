"""What is there of graded submissions: their records, and the pages that are made of them.

Nothing here needs torch: pages are written again without grading.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .course import Course
from .files import write
from .gradebook.gradebook import Book
from .pages.feedback import page
from .pages.overview import overview
from .record import ByHand, Record, from_json


def write_feedback(course: Course, record: Record, by_hand: ByHand) -> Path:
    """Write the page that the learner gets back."""
    path = course.feedback(record.student, record.assignment)
    write(path, page(record, by_hand))
    return path


def write_overview(course: Course, assignment: str, book: Book) -> Path:
    """Write the page on the whole class, from all records that there are."""
    records = [record.brief() for record in kept_records(course, assignment)]
    path = course.overview(assignment)
    feedback = os.path.relpath(course.feedback_folder, path.parent)
    by_hand, nothing = book.everyone(), course.without(assignment)
    write(path, overview(assignment, records, by_hand, nothing, feedback))
    return path


def kept_records(course: Course, assignment: str) -> Iterator[Record]:
    """The records of an assignment in the order of their learners; those that can be read."""
    for path in sorted(course.records(assignment).glob("*.json")):
        if record := read_record(path):
            yield record


def read_record(path: Path) -> Record | None:
    """The record in a file; None where there is none, or none that this version wrote."""
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
