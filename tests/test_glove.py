"""The reader of word vectors: small files in the format of the large ones, and broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from rnncourse.glove import read_glove

WORDS = ["the", "new\u00a0york", "über", "\u2028", "...", "0.5"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "vectors.txt"


def write(file: Path, words: list[str], vectors: torch.Tensor) -> None:
    lines = [
        " ".join([word, *(f"{number:.5f}" for number in row)])
        for word, row in zip(words, vectors.tolist(), strict=True)
    ]
    file.write_bytes("".join(f"{line}\n" for line in lines).encode())


@pytest.mark.parametrize("dimensions", [1, 50, 300])
def test_words_and_numbers_come_back(file: Path, dimensions: int) -> None:
    vectors = torch.randn(len(WORDS), dimensions)
    write(file, WORDS, vectors)
    words, found = read_glove(file)
    assert words == WORDS
    assert found.dtype == torch.float32 and found.shape == (len(WORDS), dimensions)
    assert torch.allclose(found, vectors, atol=1e-5)


def test_only_the_wanted_words_in_the_order_of_the_file(file: Path) -> None:
    vectors = torch.randn(len(WORDS), 50)
    write(file, WORDS, vectors)
    words, found = read_glove(str(file), words=iter(["über", "<pad>", "the"]))
    assert words == ["the", "über"]
    assert torch.allclose(found, vectors[[0, 2]], atol=1e-5)


def test_none_of_the_wanted_words(file: Path) -> None:
    write(file, WORDS, torch.randn(len(WORDS), 50))
    words, found = read_glove(file, words=["lemonade"])
    assert words == [] and found.shape == (0, 50)


def test_numbers_of_other_words_are_counted_and_not_read(file: Path) -> None:
    file.write_text("the 1 2\na x y\n")
    assert read_glove(file, words=["the"])[0] == ["the"]
    file.write_text("the 1 2\na x\n")
    with pytest.raises(ValueError, match="line 2"):
        read_glove(file, words=["the"])


def test_a_word_with_blanks_ends_of_other_systems_and_a_word_twice(file: Path) -> None:
    file.write_bytes(b"the 1 2\r\nat name@domain.com 3 4 \r\n. . . 5 6\nthe 7 8")
    words, found = read_glove(file)
    assert words == ["the", "at name@domain.com", ". . ."]
    assert found.tolist() == [[1, 2], [3, 4], [5, 6]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "line 1: the file is empty"),
        (b"the\n", "line 1: expected a word and its numbers"),
        (b" 1 2\n", "line 1: expected a word and its numbers"),
        (b"the 1 2\na 3\n", "line 2: expected a word and 2 numbers, as on line 1"),
        (b"the 1 2\na 3 4 5\n", "line 2: expected a word and 2 numbers, as on line 1"),
        (b"the 1 2\n\na 3 4\n", "line 2: expected a word and 2 numbers, as on line 1"),
        (b"the 1 2\na 3 four\n", "line 2: 'four' is not a finite number"),
        (b"the 1 2\na 3 nan\n", "line 2: 'nan' is not a finite number"),
        (b"the 1 2\na\xff 3 4\n", "line 2: .* decode"),
        (b"the\t1\t2\n", "line 1: expected a word and its numbers"),
        (b"2 2\nthe 1 2\na 3 4\n", "line 2: expected a word and 1 numbers, as on line 1"),
    ],
)
def test_a_broken_line_is_named(text: bytes, said: str, file: Path) -> None:
    file.write_bytes(text)
    with pytest.raises(ValueError, match=said) as caught:
        read_glove(file)
    assert str(file) in str(caught.value)
