"""Exercises: words as vectors (Mikolov et al., 2013).

Shapes: V words in the vocabulary, D dimensions of a vector, N batch, K negative samples. A word is
an id from 0 to V - 1.
"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from ._exercise import exercise


@exercise
def one_hot(ids: Tensor, vocab_size: int) -> Annotated[Tensor, "* V", "the result"]:
    """Each id as a vector that is 1 at the id's place and 0 elsewhere.

    Args:
        ids: int64 of any shape (*,), each from 0 to V - 1.
        vocab_size: V.

    Returns:
        the result: ones and zeros in torch's default dtype.

    Example:
        >>> import torch
        >>> one_hot(torch.tensor([2, 0]), vocab_size=3).tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]

    Source: torch.nn.functional.one_hot, which gives int64.
    """
    raise NotImplementedError


@exercise
def embed(ids: Tensor, weight: Annotated[Tensor, "V D"]) -> Annotated[Tensor, "* D", "the result"]:
    """The vector of each id: `one_hot(ids, V) @ weight` without the multiplication.

    It keeps the weight's dtype and device, and lets gradients flow to it.

    Args:
        ids: int64 of any shape (*,).
        weight: one row a word.

    Returns:
        the result: row ids[...] of weight for each id.

    Example:
        >>> import torch
        >>> weight = torch.tensor([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]])
        >>> embed(torch.tensor([2, 0]), weight).tolist()
        [[2.0, 2.5], [0.0, 0.5]]

    Source: torch.nn.functional.embedding.
    """
    raise NotImplementedError


@exercise
def embed_backward(
    grad_output: Tensor, ids: Tensor, vocab_size: int, padding_idx: int | None = None
) -> Annotated[Tensor, "V D", "the gradient"]:
    """The backward pass of `embed`: the gradient of the weight. Called where torch records nothing.

    Args:
        grad_output: gradient of the loss by each vector, (*, D).
        ids: which word each of them is, int64 (*,). An id that occurs twice gets both gradients.
        vocab_size: V.
        padding_idx: a word that does not learn: its row is zero. None for none.

    Returns:
        the gradient: zero in the rows of words that do not occur.

    Example:
        >>> import torch
        >>> grad_output = torch.tensor([[1.0], [10.0], [100.0]])
        >>> embed_backward(grad_output, torch.tensor([1, 1, 0]), vocab_size=3).tolist()
        [[100.0], [11.0], [0.0]]

    Source: the backward pass of torch.nn.functional.embedding.
    """
    raise NotImplementedError


@exercise
def skipgram_pairs(ids: list[int], window: int) -> list[tuple[int, int]]:
    """The pairs (centre, context) of a text: every word with each of its neighbours.

    Args:
        ids: the text, word by word.
        window: how many words away a neighbour may be, on either side; at least 1.

    Returns:
        (centre, context) for each position and each other position at most `window` away, in any
        order. A position is no neighbour of itself; the same word elsewhere is one.

    Example:
        >>> sorted(skipgram_pairs([7, 8, 9], window=1))
        [(7, 8), (8, 7), (8, 9), (9, 8)]

    Source: Mikolov et al. (2013), "Efficient Estimation of Word Representations in Vector Space".
    """
    raise NotImplementedError


@exercise
def negative_sampling_loss(
    centre: Annotated[Tensor, "N D"],
    context: Annotated[Tensor, "N D"],
    negatives: Annotated[Tensor, "N K D"],
) -> Annotated[Tensor, "", "loss"]:
    """The loss of skip-gram with negative sampling, averaged over a batch.

    It is small when a centre is near its context and far from the negative samples.

        - mean over N of [log sigmoid(c . o) + sum over K of log sigmoid(- c . n_k)]

    It is finite for scores of any size, and gradients flow to all three.

    Args:
        centre: c, vectors of the centre words.
        context: o, vectors of their neighbours.
        negatives: n_k, vectors of words drawn at random.

    Returns:
        loss: 0-d.

    Example:
        >>> import torch
        >>> c, o, n = torch.zeros(2, 4), torch.zeros(2, 4), torch.zeros(2, 3, 4)
        >>> round(negative_sampling_loss(c, o, n).item(), 3)  # 1 + 3 coin tosses: 4 log 2
        2.773

    Source: Mikolov et al. (2013), "Distributed Representations of Words and Phrases", equation 4.
    """
    raise NotImplementedError


@exercise
def analogy(weight: Annotated[Tensor, "V D"], a: int, b: int, c: int, k: int = 1) -> list[int]:
    """The words that answer "a is to b as c is to ...?", by their vectors.

    Every row is brought to unit length first. Then the k words are found whose vectors have the
    largest cosine with b - a + c.

    Args:
        weight: one row a word, none of them zero.
        a, b, c: ids.
        k: how many answers.

    Returns:
        k ids, the best first; a, b and c are left out.

    Example:
        >>> import torch
        >>> words = ["man", "woman", "king", "queen", "apple"]
        >>> weight = torch.tensor([[1.0, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1], [1, 0, -1]])
        >>> [words[id] for id in analogy(weight, 0, 1, 2)]  # man is to woman as king is to
        ['queen']

    Source: Mikolov, Yih and Zweig (2013), "Linguistic Regularities in Continuous Space Word
        Representations".
    """
    raise NotImplementedError
