"""The page a learner gets back, in a real browser: what it says, and that nothing in it runs."""

from __future__ import annotations

import base64
import io
import re
import socket
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest
from playwright.sync_api import Locator, Page

from rnncourse.checks.report import Mistake, Report, StageReport
from rnncourse.grading.pages import feedback, rendering
from rnncourse.grading.pages.feedback import page
from rnncourse.grading.record import ByHand, CellNote, ExerciseRecord, Record
from tests.browser import CONTRAST, Open, Visit
from tools.demonstration.learners import WRONG_ORDER, solutions

HOSTILE = (
    "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'>"
    "</style></pre></title></textarea><svg onload=window.ran=3>"
    "<a href=javascript:window.ran=4>x</a>{{ 7*7 }}{% for x in y %}"
)
WRONG_GATES = "Your gates are in the order i, f, o, g; torch's is i, f, g, o."
NUMBERS = "30 of 30 numbers differ; the first is h'[0, 0] (sequence 0, unit 0): yours is -0.2070."

Show = Callable[..., Visit]


def figure(width: float = 3.0) -> str:
    """A PNG file that matplotlib drew, as base64 text."""
    drawing, axes = plt.subplots(figsize=(width, 2))
    axes.plot([3, 1, 2])
    file = io.BytesIO()
    drawing.savefig(file, format="png")
    plt.close(drawing)
    return base64.b64encode(file.getvalue()).decode()


def report(exercise: str, *failed: str, mistake: Mistake | None = None) -> Report:
    """Three tests, of which these failed."""
    stages = tuple(
        StageReport(name, "failed" if name in failed else "passed", (NUMBERS,) * (name in failed))
        for name in ("shapes", "only the biases", "all terms together")
    )
    later = (StageReport("gradients", "not reached"),) if failed else ()
    return Report(exercise, stages + later, mistake)


PASSED = ExerciseRecord(
    "lstm_layer",
    4.0,
    4.0,
    "passed",
    "All hidden tests passed.",
    report=report("lstm_layer"),
    code="@fill\ndef lstm_layer(x):\n    return x",
)
PARTIAL = ExerciseRecord(
    "lstm_cell",
    1.2,
    6.0,
    "partial",
    WRONG_GATES,
    "gates_ifog",
    report(
        "lstm_cell",
        "only the biases",
        "all terms together",
        mistake=Mistake("gates_ifog", WRONG_GATES),
    ),
    WRONG_ORDER.strip(),
)
UNNAMED = replace(
    PARTIAL,
    points=0.0,
    verdict="failed",
    message=f"only the biases: {NUMBERS}",
    mistake=None,
    report=report("lstm_cell", "only the biases"),
)
UNFILLED = ExerciseRecord(
    "pack_gates", 0.0, 4.0, "unfilled", "pack_gates is not filled in yet.", code="@fill\n..."
)
ERROR = replace(
    UNFILLED, verdict="error", message="Its cell ended with an error: NameError: no such name."
)
TIMEOUT = replace(UNFILLED, verdict="timeout", message="It did not end within 3 seconds.")
SLEPT = replace(UNFILLED, verdict="slept", message="It waited or slept for 30 seconds.")
WAITS = replace(
    PASSED,
    points=None,
    flags=("it uses torch.nn.LSTM",),
    message="A person will look at this before it gets a mark: it uses torch.nn.LSTM.",
)


def record(*exercises: ExerciseRecord, **more: Any) -> Record:
    return replace(Record("chen", "lstm", exercises, "bubblewrap+rlimits"), **more)


@pytest.fixture
def show(visit: Open, tmp_path: Path) -> Show:
    """A function that opens a record's page: `show(record, by_hand, width=390)`."""

    def open_page(text: str | Record, by_hand: ByHand | None = None, **how: Any) -> Visit:
        path = tmp_path / "lstm.html"
        html = text if isinstance(text, str) else page(text, by_hand)
        path.write_text(html, encoding="utf-8")
        return visit(path.as_uri(), **how)

    return open_page


def section(opened: Page, exercise: str) -> Locator:
    return opened.locator(f"section#{exercise}")


def everything() -> Record:
    """A record in which every part of the page is used."""
    cells = (
        CellNote(PARTIAL.code, "tensor([0.1])", "", (figure(),)),
        CellNote("plt.plot(losses)", "", "NameError: losses", (figure(),)),
    )
    exercises = (
        PARTIAL,
        PASSED,
        replace(UNFILLED, exercise="a"),
        replace(ERROR, exercise="b"),
        replace(TIMEOUT, exercise="c"),
        replace(WAITS, exercise="d"),
        replace(UNNAMED, exercise="e"),
        replace(PASSED, exercise="f"),
    )
    return record(*exercises, cells=cells, repairs=("The check was put back.",))


BY_HAND = ByHand({"f": 1.0}, {"lstm_cell": 1.0}, {"f": "See *me*.\nSoon."}, penalty=2.0)


def hostile() -> Record:
    """A record with scripts wherever a learner's text can come from."""
    stage = StageReport("values", "failed", (HOSTILE,))
    bad = ExerciseRecord(
        "lstm_cell",
        None,
        6.0,
        "failed",
        HOSTILE,
        "made_up",
        Report("lstm_cell", (stage,), Mistake("made_up", HOSTILE)),
        f"'{HOSTILE}' # {HOSTILE}\n\"{HOSTILE}\n'''{HOSTILE}",
        HOSTILE,
        (HOSTILE,),
    )
    other = replace(bad, exercise="lstm_layer", points=0.0, flags=())
    cells = (CellNote(HOSTILE, HOSTILE, HOSTILE, (HOSTILE, f'"><script>{HOSTILE}')),)
    return record(bad, other, student=HOSTILE, cells=cells, repairs=(HOSTILE,), sandbox=HOSTILE)


def test_nothing_that_a_learner_wrote_runs(show: Show) -> None:
    comments = {"lstm_cell": HOSTILE, "lstm_layer": f"[x](javascript:window.ran=5) {HOSTILE}"}
    opened = show(hostile(), ByHand(comments=comments))
    assert opened.complaints == []
    assert len(opened.requests) == 1
    assert opened.page.evaluate("window.ran") is None
    assert opened.page.locator("script, img, svg, textarea, [onerror], [onload]").count() == 0
    assert opened.page.locator("a[href]:not([href^='#'])").count() == 0
    text = opened.page.locator("body").inner_text()
    assert text.count("window.ran = 1</script>") >= 12
    assert "{{ 7*7 }}" in text and "49" not in text


def test_the_policy_alone_stops_scripts_styles_and_requests(show: Show) -> None:
    """Even if something were not escaped."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        planted = (
            f"<script>window.ran = 1</script><img src='{address}' onerror='window.ran = 2'>"
            f"<style>h1 {{ color: rgb(1, 2, 3) }}</style><video src='{address}'></video>"
            f"<link rel=stylesheet href='{address}'><script src='{address}'></script>"
        )
        opened = show(page(record(PASSED)).replace("</main>", f"{planted}</main>"))
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has called
            listener.accept()
    assert opened.page.evaluate("window.ran") is None
    assert opened.page.locator("h1").evaluate("e => getComputedStyle(e).color") != "rgb(1, 2, 3)"
    assert [said for said in opened.complaints if "Content Security Policy" in said]


def test_a_mistake_is_named_before_the_numbers_and_then_what_to_do(show: Show) -> None:
    cell = section(show(record(PARTIAL, PASSED)).page, "lstm_cell")
    text = cell.inner_text()
    assert "◐" in text and "partly right" in text and "1.2 of 6" in text
    order = [text.index(part) for part in (WRONG_GATES, "“only the biases”", "Next: run check")]
    assert order == sorted(order)
    assert text.count(NUMBERS) == 1  # the other tests wait in the fold
    assert "Hidden tests: 1 passed, 2 failed, 1 not reached" in text
    assert cell.locator("pre.code").inner_text().strip() == WRONG_ORDER.strip()


def test_the_list_of_tests_unfolds_without_a_script(show: Show) -> None:
    opened = show(record(PARTIAL), script=False).page
    tests = section(opened, "lstm_cell").locator("details li")
    assert not tests.first.is_visible()
    section(opened, "lstm_cell").locator("summary").click()
    assert [t.split("\n")[0] for t in tests.all_inner_texts()] == [
        "✓shapes passed",
        "✗only the biases failed",
        "✗all terms together failed",
        "·not reached: gradients",
    ]


def test_what_failed_without_a_name_is_said_once(show: Show) -> None:
    text = section(show(record(UNNAMED)).page, "lstm_cell").inner_text()
    assert f"In the test “only the biases”: {NUMBERS}" in text
    assert text.count(NUMBERS) == 1


@pytest.mark.parametrize(
    ("exercise", "sign", "words", "next_step"),
    [
        (UNNAMED, "✗", "not right yet", "run check(lstm_cell)"),
        (UNFILLED, "○", "not filled in", "write it in its cell"),
        (ERROR, "!", "ended with an error", "restart the kernel"),
        (TIMEOUT, "∞", "did not end", "two steps of pack_gates"),
        (SLEPT, "∞", "waited or slept", "such as time.sleep"),
    ],
)
def test_an_exercise_that_is_not_right_says_what_to_do(
    exercise: ExerciseRecord, sign: str, words: str, next_step: str, show: Show
) -> None:
    opened = show(record(exercise, PASSED)).page
    part = section(opened, exercise.exercise)
    assert re.match(rf"{re.escape(sign)}\s*{exercise.exercise} {words}", part.inner_text())
    assert next_step in part.locator("p", has_text="Next:").inner_text()
    assert "1 of 2 exercises is right. Go on with" in opened.locator("header").inner_text()
    assert opened.locator("header a").get_attribute("href") == f"#{exercise.exercise}"


def test_what_passed_is_folded(show: Show) -> None:
    opened = show(record(PASSED)).page
    part = section(opened, "lstm_layer")
    assert part.inner_text().count("\n") < 5
    assert "All 3 hidden tests passed" in part.inner_text()
    assert not part.locator("pre").is_visible()
    part.locator("summary").click()
    assert part.locator("pre").is_visible()
    assert "Next:" not in part.inner_text()
    assert "Everything is right." in opened.locator("header").inner_text()


REMARK = replace(
    PASSED,
    message="All marks, but: x was changed in place.",
    report=Report(
        "lstm_layer",
        (
            StageReport("shapes", "passed"),
            StageReport("inputs", "failed", ("x was changed in place.",)),
        ),
    ),
)


def test_a_remark_that_costs_nothing_is_not_called_right(show: Show) -> None:
    opened = show(record(REMARK)).page
    head = opened.locator("header").inner_text()
    assert "All points. One remark: see lstm_layer." in head
    assert "Everything is right" not in head
    part = section(opened, "lstm_layer").inner_text()
    assert "✓lstm_layer all points, one remark" in part
    assert part.count("x was changed in place.") == 1 and "Next:" not in part


def test_full_marks_by_hand_are_not_called_right(show: Show) -> None:
    opened = show(record(PARTIAL), ByHand(scores={"lstm_cell": 6.0})).page
    head = opened.locator("header").inner_text()
    assert "All points." in head and "remark" not in head and "right" not in head


def test_a_refused_notebook_is_said_once_with_what_to_do(show: Show) -> None:
    why = "lstm.ipynb is not a notebook: its content is broken."
    refused = [
        replace(PASSED, exercise=n, points=0.0, verdict="refused", message=why) for n in "ab"
    ]
    text = show(record(*refused, sandbox="not run")).page.locator("body").inner_text()
    assert text.count(why) == 1
    assert "Next: open your file in Jupyter" in text
    assert "0 of 8 points" in text
    assert "not run" not in text


def test_repairs_are_told_before_the_exercises(show: Show) -> None:
    repairs = ("The check of lstm_cell was put back.", "Two cells had one name.")
    opened = show(record(PASSED, repairs=repairs)).page
    first = opened.locator("section").first.inner_text()
    assert all(sentence in first for sentence in repairs)


def test_a_flagged_exercise_waits_and_accuses_nobody(show: Show) -> None:
    opened = show(record(WAITS, PARTIAL)).page
    part = section(opened, "lstm_layer").inner_text()
    assert "waits for a person" in part and "no mark yet, of 4" in part
    assert part.count("it uses torch.nn.LSTM") == 1
    assert "A person will look at this: it uses torch.nn.LSTM." in part
    head = opened.locator("header").inner_text()
    assert "1.2 of 10 points so far" in head and "1 waits for a person." in head


def test_marks_by_hand_replace_the_tests_and_both_are_shown(show: Show) -> None:
    by_hand = ByHand(
        scores={"lstm_cell": 4.5},
        extra={"lstm_layer": 1.0},
        comments={"lstm_cell": "**Nearly**.\n<b>See</b> `chunk`."},
        penalty=2.0,
    )
    opened = show(record(PARTIAL, PASSED), by_hand).page
    head = opened.locator("header").inner_text()
    assert "7.5 of 10 points" in head
    assert "8.5 for the exercises, +1 extra, −2 for handing in late." in head
    cell = section(opened, "lstm_cell")
    assert "marked by a person" in cell.inner_text() and "4.5 of 6" in cell.inner_text()
    assert "The tests alone gave 1.2." in cell.inner_text()
    comment = cell.locator(".comment").inner_text()
    assert comment == "Comment: **Nearly**.\n<b>See</b> `chunk`."
    assert "4 of 4, +1 extra" in section(opened, "lstm_layer").inner_text()


def test_a_person_can_give_a_mark_to_what_waited(show: Show) -> None:
    opened = show(record(WAITS), ByHand(scores={"lstm_layer": 4.0})).page
    assert "4 of 4 points" in opened.locator("header").inner_text()
    assert "so far" not in opened.locator("header").inner_text()
    text = section(opened, "lstm_layer").inner_text()
    assert "The tests alone gave no mark." in text and "Next:" not in text


def test_output_errors_and_figures_stand_with_their_code(show: Show) -> None:
    opened = show(everything()).page
    cell = section(opened, "lstm_cell")
    assert cell.locator("pre.said").inner_text() == "tensor([0.1])"
    other = opened.locator("section").last
    assert other.locator("h2").inner_text() == "Your other cells"
    assert other.locator("pre").all_inner_texts() == ["plt.plot(losses)", "NameError: losses"]
    images = opened.locator("img")
    assert images.count() == 2
    for image in images.all():
        assert image.evaluate("e => e.complete && e.naturalWidth") == 300
        assert image.get_attribute("alt") == "Figure 1 of 1 that this cell drew"
        assert image.get_attribute("width") == "300"


def too_large() -> str:
    content = bytearray(base64.b64decode(figure()))
    content[16:20] = (60_000).to_bytes(4, "big")
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "iVBORw0KGgo",
        base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode(),
        base64.b64encode(b"\xff\xd8\xff\xe0" + b"JFIF" * 20).decode(),
        '"><script>window.ran = 1</script>',
        too_large(),
        figure() + "\n",
        figure()[:-1] + '"',
    ],
)
def test_only_pictures_become_pictures(text: str, show: Show) -> None:
    opened = show(record(PASSED, cells=(CellNote("draw()", "", "", (text,)),)))
    assert opened.page.locator("img").count() == 0
    assert "A figure of this cell cannot be shown." in opened.page.locator("body").inner_text()
    assert opened.complaints == []


def test_what_cannot_be_seen_is_shown_by_its_number(show: Show) -> None:
    code = 'level = "user\u202e \u2066# admin\u2069 \u2066"\nx\u200b = 1\x1b[31m\u200d\nš = 2'
    tricky = replace(PARTIAL, code=code)
    opened = show(record(tricky, student="ada\u202eslov", cells=(CellNote(code, "a\u2028b", ""),)))
    text = opened.page.locator("body").inner_text()
    for number in ("202E", "2066", "2069", "200B", "001B", "200D", "2028"):
        assert f"⟨U+{number}⟩" in text
    assert not re.search("[\u202e\u2066\u2069\u200b\x1b\u2028]", page(record(tricky)))
    assert "š = 2" in text
    words = "می\u200cخواهم 👩\u200d🎓"
    assert rendering.visible(words) == words  # letters and emoji that need joining stay


def test_code_reads_from_left_to_right_whatever_its_letters(show: Show) -> None:
    opened = show(record(replace(PARTIAL, code="אב = גד - 1"))).page
    places = (
        section(opened, "lstm_cell")
        .locator("pre.code")
        .evaluate(
            """(pre) => {
          const walk = document.createTreeWalker(pre, NodeFilter.SHOW_TEXT);
          const places = [];
          for (let node = walk.nextNode(); node; node = walk.nextNode())
            for (let i = 0; i < node.length; i++) {
              const range = new Range();
              range.setStart(node, i);
              range.setEnd(node, i + 1);
              places.push(range.getBoundingClientRect().left);
            }
          return places;
        }"""
        )
    )
    assert len(places) == len("אב = גד - 1")
    assert places == sorted(places)


LONG = record(
    replace(PARTIAL, code="x = '" + "a" * 30_000 + "'", message="w" * 3000, mistake=None),
    student="n" * 255,
    repairs=("r" * 500,),
    cells=(CellNote("y" * 9000, "z" * 1_000_000, "e\n" * 9000, (figure(20),)),),
)


@pytest.mark.parametrize("content", [everything(), LONG, hostile()], ids=["usual", "long", "bad"])
def test_page_fits_a_phone(content: Record, show: Show) -> None:
    opened = show(content, BY_HAND, width=390).page
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    past = opened.evaluate(
        """() => [...document.querySelectorAll("body *")]
             .filter((e) => e.getBoundingClientRect().right > innerWidth && !e.closest("pre"))
             .map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert past == []


STUB = "@fill\ndef lstm_cell(x):\n    return " + "x, 1, " * 100
MANY = {
    "near copies": [(f"{STUB}\n# {n}", "", "ValueError: no") for n in range(1900)],
    "copies": [(STUB, "printed\n" * 250, "") for n in range(1900)],
    "colours": [("1 a " * 3000, "", f"{n}") for n in range(1900)],
    "wide letters": [(f"# {n}", "\U0001f600" * 2000, "") for n in range(1900)],
    "unseen letters": [(f"# {n}", "\u200b" * 2000, "") for n in range(1900)],
    "angle brackets": [(f"# {n}", "<" * 2000, "") for n in range(1900)],
}


@pytest.mark.parametrize("kind", MANY)
def test_a_page_has_a_largest_size_and_says_what_is_left_out(kind: str) -> None:
    cells = tuple(CellNote(*texts) for texts in MANY[kind])
    mine = replace(PARTIAL, code=STUB)
    text = page(record(mine, PASSED, cells=cells))
    assert len(text.encode()) < feedback.MAX_SHOWN + 60_000
    left_out = re.search(r"<p>([\d,]+) more cells are not shown: the page would", text)
    assert left_out, text[-1000:]
    shown = len(re.findall("It printed|It ended with this error", text))
    assert shown + int(left_out[1].replace(",", "")) == 1900
    assert shown > 3 and f'id="{PASSED.exercise}"' in text
    assert "more cell" not in page(record(mine, PASSED, cells=cells[:3]))


def test_long_texts_are_cut_and_it_is_said(show: Show) -> None:
    assert len(page(LONG)) < 60_000 + len(figure(20))
    text = show(LONG).page.locator("body").inner_text()
    assert "… 996,000 more characters are not shown." in text
    assert "… 18,006 more characters are not shown." in text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_its_background(theme: str, show: Show) -> None:
    opened = show(everything(), BY_HAND, theme=theme).page
    opened.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    weak = opened.evaluate(
        f"""() => [...document.querySelectorAll("body *")]
              .filter((e) => e.checkVisibility() && e.innerText?.trim())
              .map((e) => [({CONTRAST})(e), e.outerHTML.slice(0, 120)])
              .filter(([contrast]) => contrast < 4.5)"""
    )
    assert weak == []
    dark = opened.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert (dark == "rgb(20, 25, 28)") == (theme == "dark")


def test_headings_are_in_order_and_the_language_is_said(show: Show) -> None:
    opened = show(everything(), BY_HAND).page
    levels = opened.locator("h1, h2, h3, h4").evaluate_all("all => all.map((e) => e.tagName)")
    assert levels == ["H1"] + ["H2"] * 10
    assert opened.locator("html").get_attribute("lang") == "en"
    assert opened.title() == "lstm: chen"
    names = opened.locator("pre[tabindex]").evaluate_all("all => all.map((e) => e.ariaLabel)")
    assert all(names)


def test_on_paper_nothing_is_folded_or_cut(show: Show) -> None:
    opened = show(record(PARTIAL, PASSED)).page
    opened.emulate_media(media="print")
    for exercise in ("lstm_cell", "lstm_layer"):
        part = section(opened, exercise)
        height = part.locator("li").first.evaluate("e => e.getBoundingClientRect().height")
        assert height > 0
        assert part.locator("pre").evaluate("e => getComputedStyle(e).whiteSpace") == "pre-wrap"


def test_a_usual_page_is_small() -> None:
    exercises = (
        replace(PASSED, exercise=name, report=report(name), code=code)
        for name, code in solutions().items()
    )
    assert len(page(record(*exercises)).encode()) < 14_000


@pytest.mark.parametrize(
    "source",
    [
        *solutions().values(),
        "x = f\"{a['b']}\" + r'\\' # <b>&amp;\n",
        '"""never ends',
        "'never ends\nx = 1",
        "'''a''''b\\",
        "%matplotlib inline\n!ls\n?x\n\tpass $ € ☃",
        "é = 0x1f + 1e-3j; @a.b\ndef f(): ...",
    ],
)
def test_colours_change_no_character(source: str) -> None:
    shown = str(rendering.code(source))
    assert unescape(re.sub(r'<span class="[cksn]">|</span>', "", shown)) == source.strip("\n")
    assert re.sub("<[^>]*>", "", shown).count("<") == 0
