"""The models of the lessons: they run on the learner's functions, and do what they are for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from rnncourse import nn
from rnncourse._exercise import UnfilledError, exercises
from tools.answers import solution


@pytest.fixture
def filled() -> None:
    for name, entry in exercises().items():
        if entry.chapter in ("lstm", "embedding", "models", "shapes"):
            entry.filled = solution(name)


MODELS = {
    "embed": lambda ids: nn.Embedding(9, 4)(ids),
    "lstm_layer": lambda ids: nn.LSTM(4, 5)(torch.rand(3, 2, 4)),
}


@pytest.mark.parametrize("missing", MODELS)
def test_what_is_missing_is_said(missing: str) -> None:
    with pytest.raises(UnfilledError, match=f"{missing} is not filled in yet"):
        MODELS[missing](torch.zeros(3, 2, dtype=torch.int64))


def test_a_judgement_does_not_depend_on_padding(filled: None) -> None:
    torch.manual_seed(0)
    model = nn.Sentiment(vocab_size=9, embedding_dim=4, hidden_size=5, classes=3)
    ids, lengths = torch.randint(1, 9, (6, 3)), torch.tensor([6, 2, 4])
    other = ids.clone()
    for n, length in enumerate(lengths):
        other[length:, n] = 0
    assert model(ids, lengths).shape == (3, 3)
    assert torch.allclose(model(ids, lengths), model(other, lengths), atol=1e-6)


def test_a_writer_goes_on_where_it_was(filled: None) -> None:
    torch.manual_seed(0)
    model = nn.Writer(vocab_size=9, embedding_dim=4, hidden_size=5, num_layers=2)
    ids = torch.randint(9, (6, 2))
    whole, _ = model(ids)
    first, states = model(ids[:4])
    second, _ = model(ids[4:], states)
    assert whole.shape == (6, 2, 9)
    assert torch.allclose(torch.cat([first, second]), whole, atol=1e-5)


def test_what_is_written_comes_from_the_generator_alone(filled: None) -> None:
    torch.manual_seed(0)
    model = nn.Writer(vocab_size=9, embedding_dim=4, hidden_size=5)
    start = torch.randint(9, (3, 2))
    texts = [model.write(start, 12, 1.5, torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert texts[0].shape == (12, 2)
    assert torch.equal(texts[0], texts[1]) and not torch.equal(texts[0], texts[2])
    likeliest = model.write(start, 3, temperature=0)
    text = start
    for _ in range(3):
        text = torch.cat([text, model(text)[0][-1].argmax(dim=-1)[None]])
    assert torch.equal(likeliest, text[3:])


def test_a_translator_learns_to_turn_words_round(filled: None) -> None:
    """Two words in one language, the same in reverse order in the other."""
    torch.manual_seed(0)
    start_id, stop_id, words = 0, 1, 5
    source = torch.cartesian_prod(torch.arange(2, words), torch.arange(2, words)).T
    ends = [torch.full((1, source.shape[1]), i) for i in (start_id, stop_id)]
    target = torch.cat([ends[0], source.flip(0), ends[1]])
    model = nn.Translator(words, words, embedding_dim=8, hidden_size=16)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(80):
        optimizer.zero_grad()
        scores = model(source, target[:-1])
        loss = cross_entropy(scores.flatten(0, 1), target[1:].flatten())
        loss.backward()
        optimizer.step()
    for sentence in source.T:
        assert model.translate(sentence, start_id, stop_id, 5) == sentence.flip(0).tolist()


def test_a_tagger_sees_what_comes_later(filled: None) -> None:
    torch.manual_seed(0)
    model = nn.Tagger(vocab_size=9, embedding_dim=4, hidden_size=5, tags=3)
    ids = torch.randint(1, 9, (6, 2))
    other = ids.clone()
    other[-1] = (ids[-1] % 8) + 1
    assert model(ids).shape == (6, 2, 3)
    assert not torch.allclose(model(ids)[0], model(other)[0])


@pytest.mark.parametrize("model", ["Sentiment", "Writer", "Translator", "Tagger"])
def test_every_parameter_learns(filled: None, model: str) -> None:
    torch.manual_seed(0)
    ids = torch.randint(1, 7, (4, 3))
    results: dict[str, tuple[torch.nn.Module, Tensor]] = {}
    sentiment, writer = nn.Sentiment(7, 4, 5), nn.Writer(7, 4, 5)
    translator, tagger = nn.Translator(7, 7, 4, 5), nn.Tagger(7, 4, 5, 3)
    results["Sentiment"] = sentiment, sentiment(ids, torch.tensor([4, 2, 1]))
    results["Writer"] = writer, writer(ids)[0]
    results["Translator"] = translator, translator(ids, ids)
    results["Tagger"] = tagger, tagger(ids)
    module, result = results[model]
    result.square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in module.parameters())
