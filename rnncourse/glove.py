"""Reads ready-made word vectors in the text format of GloVe: a word and its numbers on each line.

It reads, and that is all: which row of which table a vector goes to is for the caller to say.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from math import isfinite
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor


def read_glove(
    path: str | PathLike[str], words: Iterable[str] | None = None
) -> tuple[list[str], Tensor]:
    r"""Read words and their vectors from a text file in GloVe's format.

    A blank separates a word from its numbers, and these from each other. No other white space does:
    GloVe's words hold characters such as the non-breaking space. The first line sets how many
    numbers all lines have. The file is read line by line, and only what is kept takes memory.

    Args:
        path: a text file in UTF-8, such as glove.6B.50d.txt.
        words: keep only these, where the file has them; None for all. Of all other lines the
            numbers are counted and not read.

    Returns:
        words, vectors: the words in the order of the file, and their vectors in that order, (V, D)
            float32. A word that stands twice keeps its first vector.

    Raises:
        ValueError: a line is not a word and D finite numbers, or the file has no line; the message
            names file and line.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("tiny.txt").write_text("cat 1 2\nhen 3 4\ndog 5 6\n")
        >>> words, vectors = read_glove("tiny.txt", words={"dog", "cat"})
        >>> words, vectors.tolist()
        (['cat', 'dog'], [[1.0, 2.0], [5.0, 6.0]])
    """
    wanted = None if words is None else set(words)
    found: dict[str, None] = {}
    numbers = array("f")
    dimensions = 0
    # In bytes, because text would also be split at characters that may stand in a word.
    with Path(path).open("rb") as file:
        for place, line in enumerate(file, start=1):
            try:
                word, texts = _split(line.decode(), dimensions)
                dimensions = len(texts)
                if word not in found and (wanted is None or word in wanted):
                    numbers.extend([_finite(text) for text in texts])
                    found[word] = None
            except ValueError as error:
                raise ValueError(f"{path}, line {place}: {error}") from None
    if not dimensions:
        raise ValueError(f"{path}, line 1: the file is empty")
    # frombuffer is far quicker than torch.tensor, but takes nothing empty.
    vectors = torch.frombuffer(numbers, dtype=torch.float32) if found else torch.empty(0)
    return list(found), vectors.reshape(len(found), dimensions)


def _split(line: str, dimensions: int) -> tuple[str, list[str]]:
    """The word of a line and the texts of its numbers: `dimensions` of them, 0 for all there are.

    A word may hold blanks itself, as "at name@domain.com" in one of GloVe's files.
    """
    word, *rest = line.rstrip(" \r\n").split(" ")
    size = dimensions or len(rest)
    inside = rest[: len(rest) - size]
    if not word or not size or len(rest) < size or (inside and _is_number(inside[-1])):
        wanted = f"{dimensions} numbers, as on line 1" if dimensions else "its numbers"
        raise ValueError(f"expected a word and {wanted}, separated by blanks")
    return " ".join([word, *inside]), rest[len(inside) :]


def _finite(text: str) -> float:
    if not _is_number(text):
        raise ValueError(f"{text!r} is not a finite number")
    return float(text)


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False
