"""The models of the lessons, put together from modules that run on the learner's functions.

Shapes: T length, N batch, V words, D dimensions of a word vector, H hidden size. Texts are ids,
(T, N) int64, padded behind their ends.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..models import greedy_decode, sample_next
from ..shapes import last_valid
from .embedding import Embedding
from .recurrent import LSTM, Pair


class Sentiment(nn.Module):
    """A classifier of texts: word vectors, an LSTM, a linear layer on the state at the last word.

    In a padded batch that is each text's own last word.

    Args:
        vocab_size: V; id 0 is padding.
        embedding_dim, hidden_size: D and H.
        classes: how many there are.

    Example:
        >>> import torch
        >>> model = Sentiment(vocab_size=100, embedding_dim=8, hidden_size=16, classes=3)
        >>> ids = torch.tensor([[4, 7], [9, 2], [5, 0]])  # the second text ends with padding
        >>> model(ids, lengths=torch.tensor([3, 2])).shape
        torch.Size([2, 3])
    """

    def __init__(
        self, vocab_size: int, embedding_dim: int, hidden_size: int, classes: int = 2
    ) -> None:
        super().__init__()
        self.embedding = Embedding(vocab_size, embedding_dim, padding_idx=0)
        self.lstm = LSTM(embedding_dim, hidden_size)
        self.linear = nn.Linear(hidden_size, classes)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Scores of each class, (N, classes), for ids (T, N) and lengths (N,)."""
        output, _ = self.lstm(self.embedding(ids))
        scores: Tensor = self.linear(last_valid(output, lengths))
        return scores


class Writer(nn.Module):
    """A language model: after each word, scores for the next one.

    Args:
        vocab_size: V.
        embedding_dim, hidden_size: D and H.
        num_layers, dropout: as in `LSTM`.

    Example:
        >>> import torch
        >>> model, ids = Writer(100, 8, 16), torch.tensor([[4, 7], [9, 2], [5, 3]])
        >>> scores, states = model(ids)
        >>> scores.shape, model.write(ids, length=6).shape
        (torch.Size([3, 2, 100]), torch.Size([6, 2]))
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_dim: int,
        hidden_size: int,
        num_layers: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.embedding = Embedding(vocab_size, embedding_dim)
        self.lstm = LSTM(embedding_dim, hidden_size, num_layers, dropout=dropout)
        self.linear = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids: Tensor, states: Pair | None = None) -> tuple[Tensor, Pair]:
        """Scores (T, N, V) for what follows each of ids (T, N), and the states to go on with."""
        output, states = self.lstm(self.embedding(ids), states)
        return self.linear(output), states

    @torch.no_grad()
    def write(
        self,
        start: Tensor,
        length: int,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Go on from a beginning, ids (T, N), for `length` words: (length, N)."""
        logits, states = self.forward(start)
        written = [sample_next(logits[-1], temperature, generator)]
        while len(written) < length:
            logits, states = self.forward(written[-1][None], states)
            written.append(sample_next(logits[-1], temperature, generator))
        return torch.stack(written)


class Translator(nn.Module):
    """A translator: an encoder reads a sentence, and a decoder goes on from the encoder's states.

    Args:
        source_size, target_size: words of the two languages.
        embedding_dim, hidden_size: D and H, of both.

    Example:
        >>> import torch
        >>> model, source = Translator(50, 60, 8, 16), torch.tensor([[4], [7], [9]])
        >>> model(source, target=torch.tensor([[1], [5]])).shape
        torch.Size([2, 1, 60])
        >>> len(model.translate(source[:, 0], start_id=1, stop_id=2, max_length=6)) <= 6
        True
    """

    def __init__(
        self, source_size: int, target_size: int, embedding_dim: int, hidden_size: int
    ) -> None:
        super().__init__()
        self.source_embedding = Embedding(source_size, embedding_dim)
        self.encoder = LSTM(embedding_dim, hidden_size)
        self.target_embedding = Embedding(target_size, embedding_dim)
        self.decoder = LSTM(embedding_dim, hidden_size)
        self.linear = nn.Linear(hidden_size, target_size)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Scores (T', N, V) for what follows each word of the target, which is read as it should
        be, not as the decoder would have written it: teacher forcing.

        Args:
            source: (T, N), padded in front where lengths differ, so that a sentence's own last word
                is read last.
            target: (T', N), beginning with the start word.
        """
        scores, _ = self._decode(target, self.encode(source))
        return scores

    def encode(self, source: Tensor) -> Pair:
        """The encoder's states after the last word of source (T, N)."""
        _, states = self.encoder(self.source_embedding(source))
        found: Pair = states
        return found

    @torch.no_grad()
    def translate(
        self, source: Tensor, start_id: int, stop_id: int, max_length: int = 50
    ) -> list[int]:
        """The likeliest translation, word by word, of one sentence (T,)."""

        def step(word: int, states: Any) -> tuple[Tensor, Any]:
            scores, states = self._decode(source.new_full((1, 1), word), states)
            return scores[0, 0], states

        return greedy_decode(step, self.encode(source[:, None]), start_id, stop_id, max_length)

    def _decode(self, target: Tensor, states: Pair) -> tuple[Tensor, Pair]:
        output, states = self.decoder(self.target_embedding(target), states)
        return self.linear(output), states


class Tagger(nn.Module):
    """A tagger: a label for each word, from what stands before it and behind it.

    Args:
        vocab_size: V; id 0 is padding.
        embedding_dim, hidden_size: D and H, of each direction.
        tags: how many labels there are.

    Example:
        >>> import torch
        >>> model = Tagger(vocab_size=100, embedding_dim=8, hidden_size=16, tags=5)
        >>> model(torch.tensor([[4, 7], [9, 2], [5, 0]])).shape
        torch.Size([3, 2, 5])
    """

    def __init__(self, vocab_size: int, embedding_dim: int, hidden_size: int, tags: int) -> None:
        super().__init__()
        self.embedding = Embedding(vocab_size, embedding_dim, padding_idx=0)
        self.lstm = LSTM(embedding_dim, hidden_size, bidirectional=True)
        self.linear = nn.Linear(2 * hidden_size, tags)

    def forward(self, ids: Tensor) -> Tensor:
        """Scores of each label for each word, (T, N, tags), for ids (T, N).

        The direction from the end reads padding first: its vector is zero, but the state moves on.
        """
        output, _ = self.lstm(self.embedding(ids))
        scores: Tensor = self.linear(output)
        return scores
