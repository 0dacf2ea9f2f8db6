"""Word vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..embedding import embed


class Embedding(nn.Module):
    """`torch.nn.Embedding` on the learner's `embed`.

    Args:
        num_embeddings, embedding_dim: V and D.
        padding_idx: a word whose vector is zero at first and does not learn.

    Shapes:
        input int64 of any shape (*,); output (*, D).

    Raises:
        ValueError: a size is below 1, padding_idx is no word, or the input holds other numbers.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None
    ) -> None:
        super().__init__()
        if min(num_embeddings, embedding_dim) < 1:
            raise ValueError("num_embeddings and embedding_dim must be at least 1")
        if padding_idx is not None and not 0 <= padding_idx < num_embeddings:
            raise ValueError(f"padding_idx must be from 0 to {num_embeddings - 1}")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = padding_idx
        self.weight = nn.Parameter(torch.empty(num_embeddings, embedding_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every vector from a standard normal distribution; padding is zero."""
        nn.init.normal_(self.weight)
        if self.padding_idx is not None:
            with torch.no_grad():
                self.weight[self.padding_idx] = 0

    def forward(self, input: Tensor) -> Tensor:
        """The vector of each word."""
        if input.is_floating_point():
            raise ValueError(f"input must hold ids, which are whole numbers; got {input.dtype}")
        vectors = embed(input, self.weight)
        if self.padding_idx is None:
            return vectors
        is_padding = (input == self.padding_idx).unsqueeze(-1)
        return torch.where(is_padding, vectors.detach(), vectors)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
