"""Learners' names: what can be one, and how two that look alike are told apart."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator

MAX_NAME = 128
"""How long a learner's name may be in a gradebook."""
MAX_BYTES = 200
"""How long it may be as the name of a file to which something is added."""
RULES = (
    "not graded, as these folders need other names (at most 128 characters that can be seen; "
    "no comma, semicolon, \" or ⟨⟩; none of = + - @ at the beginning or behind | : and '; "
    "spaces only between words, one at a time)"
)

_SEPARATES = re.compile('[,;"⟨⟩]')
"""What ends a field in a table. nbgrader's export puts names into one as they are."""
_FORMULA = re.compile(r"(?:^|[|:'])\s*[=+\-−@]")
"""How a formula begins for a spreadsheet, in a field or in what a person has split it into."""
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]")
"""Characters that count as printable and have no look of their own."""

_ALIKE = str.maketrans(
    dict.fromkeys(
        "авеѕіјкмнорстухгпиьбзѵԍӏүһԁԛԝѡғ"  # Cyrillic
        "АВЕЅІЈКМНОРСТУХЗЬҮԌӀҺԚԜѴҒ"
        "αβεηικμνοπρστυχωγϲϳ"  # Greek
        "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧΠΓΦΛΘϹϿ"
        "աոսօզհյցքՕՍՏԼՈԱ"  # Armenian
        "ᎪᎫᎬᎻᎷᎢᎠᏀᏆᏒᏃᏢᏚᏙᏞᏔᏴᏟᏎ"  # Cherokee
        "ꓐꓑꓓꓔꓖꓗꓙꓚꓛꓝꓟꓠꓡꓢꓣꓤꓥꓦꓧꓨꓪꓫꓬꓮꓯꓰꓱꓲꓳꓴ"  # Lisu
        "ⲀⲂⲈⲎⲒⲔⲘⲚⲞⲢⲤⲦⲨⲬⲟⲣⲥ"  # Coptic
        "ɑɡɩıɪʟʀᴀᴄᴅᴇᴊᴋᴍɴᴏᴘꜱᴛᴜᴠᴡʏᴢƄꓸ",  # Latin letters of phonetics
        "x",
    )
)
"""Letters that can be taken for one of the 26 of Latin, or for another alphabet's."""
_SIDE_BY_SIDE = frozenset(("cjk", "hiragana", "katakana", "hangul", "bopomofo"))
"""Scripts that stand in one word with others, and look like none."""


def is_name(name: str) -> bool:
    """Whether a folder's name can be a learner's: it goes into file names, a gradebook and tables,
    where another's name, a field's end or a formula must not be read into it."""
    short = 0 < len(name) <= MAX_NAME and len(os.fsencode(name)) <= MAX_BYTES
    if not short or not name.isprintable() or UNSEEN.search(name):
        return False
    if name != " ".join(name.split()):
        return False
    narrow = unicodedata.normalize("NFKC", name)
    return not any(rule.search(text) for rule in (_SEPARATES, _FORMULA) for text in (name, narrow))


def distinct(name: str) -> str:
    """A learner's name for people; with what it is written in where it could be taken for another:
    ааа ⟨Cyrillic⟩ is not aaa."""
    marks = ", ".join(dict.fromkeys(_marks(name)))
    return f"{name} ⟨{marks}⟩" if marks else name


def _marks(name: str) -> Iterator[str]:
    if name.isascii():
        return
    composed = unicodedata.normalize("NFC", name)
    if composed != name:
        yield "accents apart"
    if unicodedata.normalize("NFKC", name) != composed:
        yield "unusual characters"
    bare = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    looks_ascii = not bare.isascii() and bare.translate(_ALIKE).isascii()
    for word in re.findall(r"[^\W\d_]+", bare):
        written_in = dict.fromkeys(_alphabet(letter) for letter in word)
        mixed = len(set(written_in) - _SIDE_BY_SIDE) > 1
        for alphabet in written_in:
            if mixed or (looks_ascii and alphabet != "latin"):
                yield alphabet.capitalize()
    if looks_ascii and any(_alphabet(c) == "latin" for c in bare if not c.isascii()):
        yield "unusual letters"


def _alphabet(letter: str) -> str:
    """What a letter belongs to, as Unicode names it: "latin", "cyrillic", "cjk"."""
    return unicodedata.name(letter, "unknown").split()[0].lower()
