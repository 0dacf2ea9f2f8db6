"""What the plans of `rnncourse.clipping` have in common."""

from __future__ import annotations

from typing import Any

Arguments = dict[str, Any]

ONCE = "once"
"""The name of a driver that calls the function a single time and looks at no more than its results.
The exercise's own driver asks for everything at once."""
