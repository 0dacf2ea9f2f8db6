"""The first code cell of each exercise, which installs the course where ``_config.yml`` says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from book._ext.addresses import read_addresses
from rnncourse._notebook import grade_id

INSTALL = "install"
"""The nbgrader id of the cell."""


def write_install_cells(root: Path) -> Iterator[Path]:
    """Change the cell in the instructor's notebooks; give those that were changed.

    Raises:
        AddressError: ``_config.yml`` lacks a setting.
    """
    wanted = read_addresses(root).install_cell().splitlines(keepends=True)
    for path in sorted(root.glob("solutions/*/*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = [cell for cell in notebook["cells"] if grade_id(cell) == INSTALL]
        if all(cell["source"] == wanted for cell in cells):
            continue
        for cell in cells:
            cell["source"] = wanted
        text = json.dumps(notebook, indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
        yield path
