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

    Source: torch.nn.functional.embedding.
    """
    raise NotImplementedError


@exercise
def embed_backward(
    grad_output: Tensor, ids: Tensor, vocab_size: int, padding_idx: int | None = None
) -> Annotated[Tensor, "V D", "the gradient"]:
    """The way back through `embed`: the gradient of the weight. Called where torch records nothing.

    Args:
        grad_output: gradient of the loss by each vector, (*, D).
        ids: which word each of them is, int64 (*,). An id that occurs twice gets both gradients.
        vocab_size: V.
        padding_idx: a word that does not learn: its row is zero. None for none.

    Returns:
        the gradient: zero in the rows of words that do not occur.

    Source: the backward pass of torch.nn.functional.embedding.
    """
    raise NotImplementedError


@exercise
def skipgram_pairs(ids: list[int], window: int) -> list[tuple[int, int]]:
    """Every word of a text with each of its neighbours.

    Args:
        ids: the text, word by word.
        window: how many words away a neighbour may be, on either side; at least 1.

    Returns:
        (centre, context) for each position and each other position at most `window` away, in any
        order. A position is no neighbour of itself; the same word elsewhere is one.

    Source: Mikolov et al. (2013), "Efficient Estimation of Word Representations in Vector Space".
    """
    raise NotImplementedError


@exercise
def negative_sampling_loss(
    centre: Annotated[Tensor, "N D"],
    context: Annotated[Tensor, "N D"],
    negatives: Annotated[Tensor, "N K D"],
) -> Annotated[Tensor, "", "loss"]:
    """How well centres are told from noise: small when a centre is near its context, far from the
    negative samples.

        - mean over N of [log sigmoid(c . o) + sum over K of log sigmoid(- c . n_k)]

    It is finite for scores of any size, and gradients flow to all three.

    Args:
        centre: c, vectors of the centre words.
        context: o, vectors of their neighbours.
        negatives: n_k, vectors of words drawn at random.

    Returns:
        loss: 0-d.

    Source: Mikolov et al. (2013), "Distributed Representations of Words and Phrases", equation 4.
    """
    raise NotImplementedError


@exercise
def analogy(weight: Annotated[Tensor, "V D"], a: int, b: int, c: int, k: int = 1) -> list[int]:
    """a is to b as c is to ...?

    Every row is brought to unit length first. Then the k words are found whose vectors have the
    largest cosine with b - a + c.

    Args:
        weight: one row a word, none of them zero.
        a, b, c: ids.
        k: how many answers.

    Returns:
        k ids, the best first; a, b and c are left out.

    Source: Mikolov, Yih and Zweig (2013), "Linguistic Regularities in Continuous Space Word
        Representations".
    """
    raise NotImplementedError
