"""A course folder for one class, outside the checkout."""

from __future__ import annotations

import re
from pathlib import Path

from .._errors import CourseError
from .checkout import Checkout
from .files import write

CONFIG = '''"""This class, for nbgrader and for rnncourse grade."""

from pathlib import Path

from rnncourse.grading.nbgrader_plugin import install

c = get_config()

c.CourseDirectory.course_id = {course_id!r}

# Assignments with solutions in the checkout are graded by the course, others by nbgrader itself.
install(c, Path({checkout!r}))
'''

README = """# {course_id}

One class of the course on recurrent networks. Run every command in this folder.

| to | do |
|---|---|
| hand out | `nbgrader generate_assignment lstm` makes `release/lstm` |
| collect | `rnncourse collect ARCHIVE lstm`, into `submitted/<learner>/lstm/lstm.ipynb` |
| grade | `rnncourse grade lstm`, or `nbgrader autograde lstm`: the same marks |
| mark and comment by hand | `jupyter lab`, then Nbgrader, Formgrader |
| write the pages again with your marks and comments | `nbgrader generate_feedback lstm` |
| export all marks | `nbgrader export` |

Marks are in `gradebook.db`, pages for learners in `feedback/`, a page on the whole class in
`class/`. `records/` holds the secret seed of each assignment and which learner is which on Moodle
or Canvas. Keep it, and hand it to nobody.

`source/` holds links to the assignments in {checkout}; your own assignments can
lie beside them. Link an assignment that the checkout gets later:
`ln -s {checkout}/solutions/gru source/gru`.
"""


def set_up_course(folder: Path, checkout: Checkout) -> str:
    """Make a course folder: nbgrader's configuration, a README, source/ with links to the
    instructor's notebooks, and an empty submitted/.

    Returns:
        The id of the course, after the name of the folder.

    Raises:
        CourseError: the folder cannot be a course folder, or something that would be made is there
            already; then nothing has been made.
    """
    root = folder.resolve()
    _require_place(folder, root, checkout)
    course_id = re.sub(r"[^A-Za-z0-9_.-]+", "-", root.name).strip("-.") or "rnncourse"
    facts = {"course_id": course_id, "checkout": str(checkout.root)}
    texts = {"nbgrader_config.py": CONFIG, "README.md": README}
    for name in (*texts, "source"):
        if (root / name).exists() or (root / name).is_symlink():
            raise CourseError(f"{folder} holds a {name} already: nothing was made.")
    try:
        for name in ("source", "submitted"):
            (root / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(f"{folder} cannot be made: {error.strerror}.") from None
    for assignment in checkout.assignments():
        (root / "source" / assignment).symlink_to(checkout.root / "solutions" / assignment)
    for name, text in texts.items():
        write(root / name, text.format(**facts))
    return course_id


def _require_place(folder: Path, root: Path, checkout: Checkout) -> None:
    """Make sure that a course folder can be here.

    Raises:
        CourseError: it lies in the checkout, where marks could be published, or a file is there.
    """
    if root.is_relative_to(checkout.root):
        raise CourseError(
            f"{folder} lies in the checkout {checkout.root}: a class needs a folder outside it."
        )
    if root.exists() and not root.is_dir():
        raise CourseError(f"{folder} is a file; a class needs a folder.")
