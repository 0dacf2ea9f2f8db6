"""Which bubblewrap this machine has, and what has been published against old ones."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess

HOLES = (
    (
        (0, 11, 0),
        (0, 11, 2),
        "CVE-2026-41163, where it is installed setuid root (fixed in 0.11.2)",
    ),
    (
        (0, 0, 0),
        (0, 12, 0),
        "GHSA-pxhw-h44j-8pfx, in how a sandbox is set up (fixed in 0.12.0)",
    ),
)
"""The first version with a hole, the first without it, and the hole."""


def version() -> str:
    """Such as "0.11.0"; "" where there is no bubblewrap or it does not say."""
    program = shutil.which("bwrap")
    return _version_of(program) if program else ""


def caution(text: str) -> str:
    """A warning about the bubblewrap that a text names, as in "bubblewrap 0.8.0+rlimits"; "" where
    nothing is known against it."""
    named = re.search(r"bubblewrap (\d+(?:\.\d+)*)", text)
    if not named:
        return ""
    numbers = tuple([*(int(part) for part in named[1].split(".")), 0, 0][:3])
    holes = [hole for first, fixed, hole in HOLES if first <= numbers < fixed]
    if not holes:
        return ""
    return (
        f"{named[0]} has published holes: {'; '.join(holes)}. Update it when your system offers "
        "that; a distribution may have mended it without a new number."
    )


@functools.cache
def _version_of(program: str) -> str:
    try:
        done = subprocess.run(
            [program, "--version"], env={}, capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\d+(?:\.\d+)+", done.stdout)
    return found[0] if found else ""
