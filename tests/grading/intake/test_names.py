"""Which names of folders are learners', and how those that look alike are told apart."""

from __future__ import annotations

import csv
import io
import re
import unicodedata

import pytest

from rnncourse.grading.names import distinct, is_name
from tests.grading.attacks.outward import REFUSED_NAMES, UNPRINTABLE

USUAL = (
    "ada",
    "Ada Lovelace",
    "ada_10",
    "m.curie@example.org",
    "ada+lstm@example.org",
    "Jean-Luc O'Brien",
    "Anna - Maria",
    "s1234567",
    "Zo\u00eb Br\u00fbl\u00e9",
    "\u5f20\u4f1f Zhang",
    "\u0410\u043d\u043d\u0430 \u0418\u0432\u0430\u043d\u043e\u0432\u0430",
    "\u0393\u03b9\u03ce\u03c1\u03b3\u03bf\u03c2 \u0394\u03ae\u03bc\u03bf\u03c5",
    "\u30e4\u30de\u30c0\u592a\u90ce",
    "\uae40\ubbfc\uc900",
    "\u0928\u093f\u0936\u093e",
    "\u0645\u062d\u0645\u062f",
    "Ivan \u0418\u0432\u0430\u043d",
    "\U0001f600",
)


@pytest.mark.parametrize("name", USUAL)
def test_usual_names_are_taken_and_shown_as_they_are(name: str) -> None:
    assert is_name(name)
    assert distinct(name) == name


@pytest.mark.parametrize("name", [*REFUSED_NAMES, *UNPRINTABLE, "", " ", "a\u00a0b", "a\u27e8b"])
def test_names_that_do_harm_in_a_table_are_none(name: str) -> None:
    assert not is_name(name)


def test_no_name_that_is_taken_becomes_a_formula_or_a_field() -> None:
    """Every sign that can end a field, before every sign that begins a formula, in every width."""
    signs = [chr(c) for c in range(0x10000) if not 0xD800 <= c < 0xE000]
    wide = {s for s in signs if unicodedata.normalize("NFKC", s)[0] in "=+-@"}
    ends = {s for s in signs if unicodedata.normalize("NFKC", s)[0] in ",;\t\n\r\"'|:"}
    assert len(wide) > 8 and len(ends) > 12
    names = [f"{before}{sign}1" for before in ("", " ", "x", *ends) for sign in wide]
    names += [f"x{end} {sign}1" for end in ends for sign in wide]
    taken = [name for name in names if is_name(name)]
    assert "x-1" in taken
    for name in taken:
        narrow = unicodedata.normalize("NFKC", name)
        (row,) = csv.reader(io.StringIO(f"lstm,{narrow},18"))
        assert row == ["lstm", narrow, "18"], ascii(name)
        parts = (part.strip() for part in re.split(r"[;\t|\n\"':]", narrow))
        assert not [part for part in parts if part[:1] in tuple("=+-@")], ascii(name)


@pytest.mark.parametrize(
    "name, shown",
    [
        ("\u0430\u0430\u0430", "\u0430\u0430\u0430 \u27e8Cyrillic\u27e9"),
        ("a\u0430a", "a\u0430a \u27e8Latin, Cyrillic\u27e9"),
        ("bystander_\u0406", "bystander_\u0406 \u27e8Cyrillic\u27e9"),
        ("\u03bf\u03bf\u03bf", "\u03bf\u03bf\u03bf \u27e8Greek\u27e9"),
        ("\uff41\uff41\uff41", "\uff41\uff41\uff41 \u27e8unusual characters\u27e9"),
        ("\U0001d41a", "\U0001d41a \u27e8unusual characters\u27e9"),
        ("\u0251da", "\u0251da \u27e8unusual letters\u27e9"),
        ("Zoe\u0308", "Zoe\u0308 \u27e8accents apart\u27e9"),
        ("\u13aa\u13aa\u13aa", "\u13aa\u13aa\u13aa \u27e8Cherokee\u27e9"),
    ],
)
def test_what_looks_like_another_name_says_what_it_is(name: str, shown: str) -> None:
    assert is_name(name)
    assert distinct(name) == shown
