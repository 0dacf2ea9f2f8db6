"""Exercises: what stands around a recurrent network: text in, words out.

Shapes: T length, N batch, H hidden size, V words in the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import torch
from torch import Tensor

from ._exercise import exercise


@exercise
def build_vocabulary(texts: list[list[str]], max_size: int) -> dict[str, int]:
    """Give an id to every frequent word.

    Args:
        texts: each a list of words.
        max_size: how many ids at most, with those of padding and unknown; at least 2.

    Returns:
        ids by word: "<pad>" is 0, "<unk>" is 1, then come the words, the most frequent first;
        words of one frequency in alphabetical order. In the texts, too, "<pad>" and "<unk>" are 0
        and 1.

    Example:
        >>> build_vocabulary([["the", "dog"], ["the", "cat"]], max_size=4)
        {'<pad>': 0, '<unk>': 1, 'the': 2, 'cat': 3}

    Source: the vocabularies of torchtext.
    """
    raise NotImplementedError


@exercise
def pad(
    sequences: list[list[int]], length: int, side: Literal["pre", "post"], value: int = 0
) -> tuple[Annotated[Tensor, "N length", "batch"], Annotated[Tensor, "N", "lengths"]]:
    """Sequences of any lengths as one batch: short ones are filled up, long ones cut.

    Args:
        sequences: lists of ids, each with at least one.
        length: how long all become.
        side: where padding goes, and where what is too long is cut off: "pre" in front, "post"
            behind.
        value: what padding is.

    Returns:
        batch, lengths: int64, and how many real ids each row holds, int64.

    Example:
        >>> batch, lengths = pad([[1, 2, 3], [4]], length=2, side="pre")
        >>> batch.tolist(), lengths.tolist()
        ([[2, 3], [0, 4]], [2, 1])

    Source: pad_sequences of Keras.
    """
    raise NotImplementedError


@exercise
def flatten_states(output: Annotated[Tensor, "T N H"]) -> Annotated[Tensor, "N T·H", "rows"]:
    """All states of each sequence in one row, for a linear layer that reads them all.

    Args:
        output: the outputs of a layer.

    Returns:
        rows: for each sequence the state of step 0, then of step 1, and so on.

    Example:
        >>> import torch
        >>> output = torch.tensor([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])[:, :, None]
        >>> flatten_states(output).tolist()
        [[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]

    Source: nn.Flatten on a batch-first output.
    """
    raise NotImplementedError


@exercise
def masked_cross_entropy(
    logits: Annotated[Tensor, "T N V"],
    targets: Annotated[Tensor, "T N"],
    lengths: Annotated[Tensor, "N"],
) -> Annotated[Tensor, "", "loss"]:
    """The mean cross-entropy over the real steps of a batch that is padded at its end.

    Args:
        logits: scores of each word at each step.
        targets: the right ids, int64. What stands behind a sequence's end means nothing, and
            may be no id.
        lengths: how many steps each sequence has, int64.

    Returns:
        loss: the sum over all real steps, divided by their number.

    Example:
        >>> import torch
        >>> logits, targets = torch.zeros(2, 1, 4), torch.tensor([[3], [-7]])
        >>> loss = masked_cross_entropy(logits, targets, lengths=torch.tensor([1]))
        >>> round(loss.item(), 3)  # all four words are as likely: log 4
        1.386

    Source: torch.nn.functional.cross_entropy with ignore_index.
    """
    raise NotImplementedError


@exercise
def sample_next(
    logits: Annotated[Tensor, "N V"],
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Annotated[Tensor, "N", "ids"]:
    """Draw the next word of each sequence.

    Args:
        logits: scores. A word with -inf is never drawn.
        temperature: the scores are divided by it: below 1 likely words become likelier. 0 takes the
            likeliest word.
        generator: the only source of chance; None for torch's own.

    Returns:
        ids: int64.

    Raises:
        ValueError: the temperature is negative.

    Example:
        >>> import torch
        >>> sample_next(torch.tensor([[0.1, 0.3, 0.2]]), temperature=0).tolist()
        [1]
        >>> sample_next(torch.tensor([[-torch.inf, -torch.inf, 0.2]])).tolist()
        [2]

    Source: Ackley, Hinton and Sejnowski (1985) for the temperature.
    """
    raise NotImplementedError


@exercise
def greedy_decode(
    step: Callable[[int, Any], tuple[Tensor, Any]],
    state: Any,
    start_id: int,
    stop_id: int,
    max_length: int,
) -> list[int]:
    """Write a sentence word by word, always with the likeliest next word.

    Args:
        step: (id, state) -> (logits (V,), state): reads one word and scores the next one.
        state: before the first word, such as what an encoder left.
        start_id: the word that is read first.
        stop_id: the word that ends the sentence.
        max_length: how many words at most.

    Returns:
        the ids that were chosen, without start and stop.

    Example:
        >>> import torch
        >>> def step(word, state):
        ...     return torch.eye(5)[word + 1], state
        >>> greedy_decode(step, None, start_id=0, stop_id=4, max_length=10)
        [1, 2, 3]

    Source: Sutskever, Vinyals and Le (2014), with a beam of one.
    """
    raise NotImplementedError
