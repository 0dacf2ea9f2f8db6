"""What a terminal shows, also one that has no sign for what is said."""

from __future__ import annotations

import codecs
import io
import sys

_PLAIN = {
    "✓": "ok",
    "✗": "x",
    "·": "-",
    "→": "->",
    "“": '"',
    "”": '"',
    "’": "'",
    "…": "...",
    "–": "-",
    "−": "-",
    "×": "x",
    "ε": "eps",
}
"""What stands for a sign that an encoding lacks; for others a question mark does."""
_ERRORS = "rnncourse"


def print_anything() -> None:
    """Let this process print every text, whatever the encoding of its output."""
    codecs.register_error(_ERRORS, _in_plain_signs)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _in_plain_signs(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign, "?") for sign in missing), error.end
