"""The generated tasks: what they promise holds for what they draw."""

from __future__ import annotations

from collections import Counter

import torch

from rnncourse import data


def draw(count: int, seed: int = 0) -> list[list[str]]:
    return data.tiny_sentences(count, torch.Generator().manual_seed(seed))


def test_tiny_sentences_have_98_common_words_and_rare_names() -> None:
    texts = draw(4000)
    assert {len(text) for text in texts} == {3, 4, 5}
    counts = Counter(word for text in texts for word in text)
    common = [word for word, count in counts.items() if count >= 10]
    assert len(common) == 98
    assert 0 < len(counts) - 98 <= 20


def test_number_and_time_agree_and_things_go_with_their_own() -> None:
    for text in draw(1000):
        for forms, things in (*data.TINY_ANIMALS.items(), *data.TINY_VERBS.items()):
            for form in set(forms) & set(text):
                second = form == forms[1]
                assert set(things) & set(text)
                assert second == bool(set(text) & {"these", "many", "all", "yesterday", "once"})
                assert second != bool(set(text) & {"this", "one", "every", "today", "now"})


def test_the_generator_alone_decides() -> None:
    assert draw(50, seed=1) == draw(50, seed=1) != draw(50, seed=2)
