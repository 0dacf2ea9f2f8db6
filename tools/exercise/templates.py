"""What a new exercise begins with: it runs as it is, and says TODO where its author goes on."""

from __future__ import annotations

STUB = '''

@exercise
def {name}(x: Annotated[Tensor, "N I"]) -> Annotated[Tensor, "N I", "y"]:
    """TODO: what it computes, in one line.

        y = 2 x

    Args:
        x: TODO: what each argument is; its shape is written behind its name.

    Returns:
        y: TODO: what comes back.

    Example:
        >>> import torch
        >>> {name}(torch.ones(1, 2)).tolist()
        [[2.0, 2.0]]

    Source: TODO: a paper, or the page of torch that has the formula.
    """
    raise NotImplementedError
'''

PLAN_IMPORTS = """from {up} import {chapter} as stubs
from {dots}plan import Plan
from {dots}stages import standard
"""
PLAN = """

{name} = Plan(stubs.{name}, standard())
"""

MODULE_OF_STUBS = '''"""Exercises: TODO: what the chapter is about.

Shapes: N batch, I features.
"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from ._exercise import exercise
'''

MODULE_OF_PLANS = '''"""How {of} {is_are} tried."""

from __future__ import annotations

{imports}'''

MISTAKE = """
[{name}.TODO_tripled]
says = "TODO: what is wrong, and what is right instead: it is 3 x, and 2 x is asked for."
edit = [["2 * x", "3 * x"]]
"""
MISTAKES = """# Known mistakes in the exercises of rnncourse.{chapter}: edits of solutions/{chapter}/{chapter}.ipynb.
"""

STYLE = """

@honest("{name}")
def {name}_in_another_style(x):
    return x + x  # TODO: a right answer as somebody else would write it
"""
STYLES = '''"""Right answers to the exercises of `rnncourse.{chapter}` in other styles."""

from __future__ import annotations

from . import honest
'''

BY_HAND = '''

def test_{name}_by_hand() -> None:
    """TODO: figures from another route than torch's: on paper, or number by number."""
    given = torch.tensor([[1.0, -2.0]])
    assert solution("{name}")(given).tolist() == [[2.0, -4.0]]
'''
TESTS_BY_HAND = '''"""The chapter {chapter}: solutions against figures from another route."""

from __future__ import annotations

import torch

from tools.answers import solution
'''

TEXT = """## {number}. TODO: what it is for: `{name}` ({points} points)

TODO: one paragraph, and the formula.

$$ y = 2 x $$

| name | shape | what |
|---|---|---|
| `x` | (N, I) | TODO |
| returns `y` | (N, I) | TODO |

**Predict first.** TODO: a question that one can answer before writing a line.

<details><summary>Compare</summary>

TODO: the answer, and why.

</details>

<details><summary>Hint 1: where to start</summary>

TODO

</details>
<details><summary>Hint 2: the pieces</summary>

TODO

</details>
<details><summary>Hint 3: if the check still complains</summary>

TODO

</details>"""

SOLUTION = """@fill
def {name}(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION"""

CHECK = """check({name})
### BEGIN HIDDEN TESTS
import os

if os.environ.get("NBGRADER_EXECUTION") == "autograde":
    raise RuntimeError("marks come from outside this notebook: use rnncourse grade")
### END HIDDEN TESTS"""

DEMO_TEXT = "**See it work.** TODO: what to expect from the next cell."
DEMO = """with demo():
    print({name}(torch.ones(2, 3)))  # TODO: something that surprises"""

TITLE = """# TODO: title

**0 points, about 10 minutes.** You need the chapter *TODO*, or TODO: what of it stands below.

How to work:

1. Fill the cells that hold `# YOUR CODE HERE`. Delete the line `raise NotImplementedError()` when you start.
2. Run `check(...)` below it, as often as you like. It tells you what is right, what is wrong and where.
3. Cells that are only for looking (`with demo():`) wait until your function is there. They are locked: to try something else, copy one into a new cell. **Run All** works from the first minute.

To hand in: save this one file (`rnncourse submit {chapter}` makes a copy without outputs). Hidden tests grade your functions on other numbers and other sizes than the checks use."""

END = """**Done?** Save, and hand in this file.

**Next:** TODO: the chapter or the notebook that follows in the contents."""

CONTENTS = """      - file: exercises/{chapter}/{chapter}
        title: "Exercise: {chapter}"
"""
