"""What a gradebook holds, without row order and identifiers: for comparing two of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, text

_GRADES = """
select s.student_id, a.name, n.name, c.name, g.auto_score, g.manual_score, g.extra_credit,
       g.needs_manual_grade, b.late_submission_penalty, b.flagged, s.timestamp
from grade g
join base_cell c on c.id = g.cell_id
join submitted_notebook b on b.id = g.notebook_id
join notebook n on n.id = b.notebook_id
join submitted_assignment s on s.id = b.assignment_id
join assignment a on a.id = s.assignment_id
"""
_COMMENTS = """
select s.student_id, c.name, m.auto_comment, m.manual_comment
from comment m
join base_cell c on c.id = m.cell_id
join submitted_notebook b on b.id = m.notebook_id
join submitted_assignment s on s.id = b.assignment_id
"""
_COUNTS = ("student", "submitted_assignment", "submitted_notebook", "grade", "comment", "base_cell")


def dump(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All marks and comments of a gradebook, sorted, and how many rows each table has."""
    engine = create_engine(url)
    with engine.connect() as connection:

        def rows(query: str) -> list[tuple[Any, ...]]:
            return sorted((tuple(row) for row in connection.execute(text(query))), key=repr)

        found = {"grades": rows(_GRADES), "comments": rows(_COMMENTS)}
        for table in _COUNTS:
            found[f"rows in {table}"] = rows(f"select count(*) from {table}")
    engine.dispose()
    return found
