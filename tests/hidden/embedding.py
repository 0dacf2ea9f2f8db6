"""Hidden spec of the assignment embedding."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rnncourse.grading.spec import Spec


def one_hot(ids: Tensor, vocab_size: int) -> Tensor:
    return (ids[..., None] == torch.arange(vocab_size, device=ids.device)).to(
        torch.get_default_dtype()
    )


def embed(ids: Tensor, weight: Tensor) -> Tensor:
    return weight[ids]


def embed_backward(
    grad_output: Tensor, ids: Tensor, vocab_size: int, padding_idx: int | None = None
) -> Tensor:
    size = grad_output.shape[-1]
    grad = grad_output.new_zeros(vocab_size, size)
    grad.index_add_(0, ids.reshape(-1), grad_output.reshape(-1, size))
    if padding_idx is not None:
        grad[padding_idx] = 0
    return grad


def skipgram_pairs(ids: list[int], window: int) -> list[tuple[int, int]]:
    return [
        (centre, context)
        for i, centre in enumerate(ids)
        for j, context in enumerate(ids)
        if i != j and abs(i - j) <= window
    ]


def negative_sampling_loss(centre: Tensor, context: Tensor, negatives: Tensor) -> Tensor:
    near = (centre * context).sum(1)
    far = (negatives * centre[:, None]).sum(2)
    return -(F.logsigmoid(near) + F.logsigmoid(-far).sum(1)).mean()


def analogy(weight: Tensor, a: int, b: int, c: int, k: int = 1) -> list[int]:
    unit = weight / weight.norm(dim=1, keepdim=True)
    cosines = unit @ (unit[b] - unit[a] + unit[c])
    cosines[[a, b, c]] = -torch.inf
    return cosines.topk(k).indices.tolist()


SPECS = {
    "one_hot": Spec(
        one_hot,
        {
            "shapes": 0.1,
            "1 in the place of the id": 0.4,
            "ids of any shape": 0.2,
            "odd sizes": 0.1,
            "floats, no whole numbers": 0.2,
        },
    ),
    "embed": Spec(
        embed,
        {
            "shapes": 0.1,
            "the row of each id": 0.4,
            "ids of any shape": 0.2,
            "gradients": 0.2,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "embed_backward": Spec(
        embed_backward,
        {
            "shapes": 0.1,
            "words that occur once": 0.2,
            "words that occur again": 0.25,
            "ids of any shape": 0.1,
            "padding_idx": 0.25,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "skipgram_pairs": Spec(
        skipgram_pairs,
        {
            "a window of one": 0.25,
            "a wider window": 0.35,
            "one word again and again": 0.2,
            "a window larger than the text": 0.1,
            "a text of one word": 0.1,
        },
    ),
    "negative_sampling_loss": Spec(
        negative_sampling_loss,
        {
            "shapes": 0.1,
            "only the neighbours": 0.1,
            "only the negatives": 0.1,
            "the whole loss": 0.2,
            "gradients": 0.15,
            "a batch of one": 0.05,
            "finite at large scores": 0.15,
            "no loss where all is right": 0.05,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "analogy": Spec(
        analogy,
        {
            "a, b and c are left out": 0.2,
            "one answer": 0.3,
            "several answers, the best first": 0.35,
            "odd sizes": 0.1,
            "float64 vectors": 0.05,
        },
    ),
}
