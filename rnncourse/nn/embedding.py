"""Word vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..embedding import embed


class Embedding(nn.Module):
    """`torch.nn.Embedding` on the learner's `embed`. It takes torch's state dict as it is.

    Args:
        num_embeddings: V, how many words.
        embedding_dim: D, how many numbers a vector has.
        padding_idx: a word that does not learn: its row starts as zeros and gets no gradient. A
            negative one counts from the end.

    Shapes:
        input int64 of any shape (*,); output (*, D).

    Raises:
        ValueError: the input is not int64, or an argument makes no sense.

    `max_norm`, `scale_grad_by_freq` and `sparse` are not supported.

    Example:
        >>> import torch
        >>> vectors = Embedding(100, 3, padding_idx=0)(torch.tensor([[4, 7], [9, 0]]))
        >>> vectors.shape, vectors[1, 1].tolist()  # id 0 is padding
        (torch.Size([2, 2, 3]), [0.0, 0.0, 0.0])
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None
    ) -> None:
        super().__init__()
        if min(num_embeddings, embedding_dim) < 1:
            raise ValueError("num_embeddings and embedding_dim must be at least 1")
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(
                f"padding_idx must be one of {num_embeddings} words; got {padding_idx}"
            )
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = nn.Parameter(torch.empty(num_embeddings, embedding_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every vector from the standard normal distribution, as torch does."""
        nn.init.normal_(self.weight)
        if self.padding_idx is not None:
            with torch.no_grad():
                self.weight[self.padding_idx] = 0

    def forward(self, input: Tensor) -> Tensor:
        """Returns the vector of each id; see the class for shapes."""
        if not isinstance(input, Tensor) or input.dtype != torch.int64:
            raise ValueError("input must be a tensor of ids, int64")
        vectors = embed(input, self.weight)
        if self.padding_idx is None:
            return vectors
        return torch.where((input == self.padding_idx)[..., None], vectors.detach(), vectors)

    def extra_repr(self) -> str:
        """What `print` tells of it, as torch's module does."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
