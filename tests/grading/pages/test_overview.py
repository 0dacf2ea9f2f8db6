"""The page on a class, in a real browser: what it says, sorting, filtering, and nothing runs."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from rnncourse.grading.pages.feedback import page
from rnncourse.grading.pages.overview import overview
from rnncourse.grading.record import ByHand, ExerciseRecord, Record
from tests.browser import CONTRAST, Open, Visit

HOSTILE = (
    "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'></style></table>"
    '"><svg onload=window.ran=3><a href=javascript:window.ran=4>x</a>{{ 7*7 }}'
)
GATES = "Your gates are in the order i, f, o, g; torch's is i, f, g, o."
LOOP = "It did not end within 3 seconds: is there a loop that never stops?"
BROKEN = "lstm.ipynb is not a notebook: its content is broken."
SANDBOX = "bubblewrap 0.12.0+namespaces+rlimits"


def cell(verdict: str = "passed", points: float | None = 6.0, **more: Any) -> ExerciseRecord:
    sentence = {"partial": GATES, "timeout": LOOP, "refused": BROKEN}.get(verdict, verdict)
    mistake = "gates_ifog" if verdict == "partial" else None
    one = ExerciseRecord("lstm_cell", points, 6.0, verdict, sentence, mistake)
    return replace(one, **more)


def layer(verdict: str = "passed", points: float | None = 4.0, **more: Any) -> ExerciseRecord:
    return replace(cell(verdict, points), exercise="lstm_layer", max_points=4.0, **more)


def record(student: str, *exercises: ExerciseRecord, **more: Any) -> Record:
    return replace(Record(student, "lstm", exercises, SANDBOX), **more)


CLASS = [
    record("ada", cell(), layer()),
    record("Čeněk", cell("partial", 1.2), layer()),
    record(
        "dora", cell("partial", 2.4), layer("failed", 0.0), repairs=("The check was put back.",)
    ),
    record("emre", cell("unfilled", 0.0), layer("unfilled", 0.0)),
    record("farah", cell(), layer("timeout", 0.0)),
    record("goran", cell("refused", 0.0), layer("refused", 0.0), sandbox="not run"),
    record("hana", cell(points=None, flags=("it uses torch.nn.LSTMCell",)), layer("error", 0.0)),
    record("student 10", cell(), layer("failed", 0.0)),
    record("student 9", cell("partial", 1.2), layer()),
]
BY_HAND = {
    "Čeněk": ByHand(scores={"lstm_cell": 5.5}, penalty=2.0),
    "ada": ByHand(extra={"lstm_cell": 1.5}),
}
NOTHING = ["ivan", "jana"]

Show = Callable[..., Visit]


@pytest.fixture
def show(visit: Open, tmp_path: Path) -> Show:
    """A function that writes a class page where it belongs and opens it."""

    def open_page(
        records: Sequence[Record] = CLASS,
        by_hand: dict[str, ByHand] = BY_HAND,
        nothing: Sequence[str] = NOTHING,
        edit: Callable[[str], str] = lambda html: html,
        **how: Any,
    ) -> Visit:
        path = tmp_path / "class" / "lstm.html"
        path.parent.mkdir()
        path.write_text(edit(overview("lstm", records, by_hand, nothing)), encoding="utf-8")
        return visit(path.as_uri(), **how)

    return open_page


def many(number: int) -> list[Record]:
    """A class of learners as different as those above."""
    some = [CLASS[i % len(CLASS)] for i in range(number)]
    return [replace(one, student=f"Learner Surname {i:05d}") for i, one in enumerate(some)]


def names(opened: Page) -> list[str]:
    return opened.locator("tbody tr:visible th").all_inner_texts()


def part(opened: Page, title: str) -> str:
    """The text between a heading and the next one."""
    opened.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    text: str = opened.locator("main").inner_text()
    after = text[text.index(title) :]
    titles = ("Who needs a look", "Good to know", "Most frequent mistakes", "Exercises", "Marks")
    ends = [after.index(t, 1) for t in titles if f"\n{t}\n" in after[1:]]
    return after[: min(ends, default=len(after))]


def head(opened: Page, name: str) -> Locator:
    return opened.locator("thead th").filter(has_text=name)


def test_the_top_says_how_the_class_did(show: Show) -> None:
    opened = show()
    text = opened.page.locator("header").inner_text()
    figures = opened.page.locator(".figures > div").all_inner_texts()
    assert [" ".join(one.split()) for one in figures] == [
        "Handed in 9 of 11",
        "Median 5.2 of 10",
        "Middle half 0 to 6",
        "Need a look 3",
        "Only mended 1",
    ]
    assert f"The code of 8 learners ran in the sandbox {SANDBOX}." in text
    assert opened.complaints == []
    assert len(opened.requests) == 1


def test_an_old_bubblewrap_is_warned_of(show: Show) -> None:
    old = replace(CLASS[0], sandbox="bubblewrap 0.8.0+rlimits")
    text = show([old, *CLASS[1:]]).page.locator("header").inner_text()
    assert "! bubblewrap 0.8.0 has published holes" in text
    assert "bubblewrap 0.12.0 has" not in text


def test_a_class_without_a_sandbox_is_told_loudly(show: Show) -> None:
    text = show([replace(one, sandbox="none") for one in CLASS[:5]] + CLASS[5:]).page.locator(
        ".alarm"
    )
    assert "No sandbox: the code of 5 learners ran with all the rights" in text.inner_text()
    assert text.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") > 16


def test_who_needs_a_look_and_why(show: Show) -> None:
    text = part(show().page, "Who needs a look").split("\n")
    lines = [line for line in text[1:] if line.strip()]
    assert lines == [
        "Waits for a person: 1",
        "hana, lstm_cell: it uses torch.nn.LSTMCell",
        "Could not be read: 1",
        f"goran: {BROKEN}",
        "Ended with an error: 1",
        "hana, lstm_layer: error",
        "Did not end: 1",
        f"farah, lstm_layer: {LOOP}",
    ]


def test_what_needs_nobody_stands_apart(show: Show) -> None:
    text = part(show().page, "Good to know").split("\n")
    lines = [line for line in text[1:] if line.strip()]
    assert lines == [
        "Was mended before it ran: 1",
        "dora: The check was put back.",
        "Was handed in late: 1",
        "Čeněk: the mark is lower by 2.",
        "Handed in nothing: 2",
        "ivan, jana",
    ]


def test_a_learner_fills_one_line_of_a_list(show: Show) -> None:
    flagged = {"points": None, "flags": ("it uses torch.nn.LSTM",)}
    many_flags = record("hana", cell(**flagged), layer(**flagged), repairs=("One.", "Two."))
    errors = record("ivo", cell("error", 0.0, message="A."), layer("error", 0.0, message="B."))
    opened = show([many_flags, errors], {}, []).page
    assert opened.locator("main > details.group li").all_inner_texts() == [
        "hana, lstm_cell, lstm_layer: it uses torch.nn.LSTM",
        "ivo, lstm_cell: A. lstm_layer: B.",
        "hana: One. Two.",
    ]
    assert opened.get_by_text("Only mended").count() == 0  # who needs a look anyway


def test_a_mark_by_hand_settles_an_exercise(show: Show) -> None:
    settled = ByHand(scores={"lstm_cell": 3.0, "lstm_layer": 2.0})
    opened = show(by_hand={"hana": settled, "goran": settled, "farah": settled}).page
    text = part(opened, "Who needs a look")
    assert not any(name in text for name in ("hana", "goran", "farah"))
    row = opened.locator("tbody tr", has_text="hana")
    assert [" ".join(t.split()) for t in row.locator("td").all_inner_texts()] == [
        "5",
        "✓3 ✎",
        "!2 ✎",
        "",
    ]


def test_long_lists_are_folded(show: Show) -> None:
    opened = show([replace(CLASS[5], student=f"s{i}") for i in range(13)], {}, []).page
    group = opened.locator("details.group", has_text="Could not be read: 13")
    assert group.get_attribute("open") is None
    group.locator("summary").click()
    assert group.locator("li").count() == 13


def test_frequent_mistakes_come_first_with_names_on_demand(show: Show) -> None:
    opened = show().page
    mistakes = opened.locator(".mistakes > li")
    assert [" ".join(one.split()) for one in mistakes.all_inner_texts()] == [
        f"3 × lstm_cell: {GATES}",
        f"1 × lstm_layer: {LOOP}",
        "1 × lstm_layer: error",
        "2 × lstm_layer: Wrong in a way that has no name.",
    ]
    assert not mistakes.first.locator(".names").is_visible()
    mistakes.first.locator("summary").press("Enter")
    assert mistakes.first.locator(".names").inner_text() == "Čeněk, dora, student 9"


def test_rare_mistakes_are_folded(show: Show) -> None:
    """A class with more different errors than anybody wants to read."""
    records = [record(f"s{i}", cell("error", 0.0, message=f"Error {i}.")) for i in range(20)]
    opened = show(records, {}, []).page
    assert opened.locator(".mistakes > li:visible").count() == 8
    opened.get_by_text("12 more").click()
    assert opened.locator(".mistakes > li:visible").count() == 20


def test_each_exercise_has_its_shares_in_words_and_numbers(show: Show) -> None:
    shares = show().page.locator(".share")
    text = " ".join(shares.first.inner_text().split())
    assert text == (
        "lstm_cell median 3.95 of 6 ✓all right 3 ◐partly right 3 ○not filled in 1 "
        "⊘could not be read 1 ?waits for a person 1"
    )
    widths = shares.first.locator("rect").evaluate_all(
        "all => all.map((e) => e.getBoundingClientRect().width)"
    )
    assert widths[0] == pytest.approx(3 * widths[2], rel=0.01)
    assert shares.count() == 2


def test_the_table_shows_every_mark_with_its_sign(show: Show) -> None:
    rows = show().page.locator("tbody tr")
    found = [
        [" ".join(t.split()) for t in row.locator("th, td").all_inner_texts()] for row in rows.all()
    ]
    assert found == [
        ["ada", "11.5", "✓6", "✓4", "extra +1.5"],
        ["Čeněk", "7.5", "◐5.5 ✎", "✓4", "late −2"],
        ["dora", "2.4", "◐2.4", "✗0", "mended"],
        ["emre", "0", "○0", "○0", ""],
        ["farah", "6", "✓6", "∞0", ""],
        ["goran", "0", "⊘0", "⊘0", ""],
        ["hana", "0", "?–", "!0", ""],
        ["student 10", "6", "✓6", "✗0", ""],
        ["student 9", "5.2", "◐1.2", "✓4", ""],
    ]
    signs = rows.nth(1).locator("[role=img]").evaluate_all("all => all.map((e) => e.ariaLabel)")
    assert signs == ["partly right", "marked by a person", "all right"]


def test_a_click_sorts_and_another_turns_it_round(show: Show) -> None:
    opened = show().page
    assert {h.get_attribute("aria-sort") for h in opened.locator("thead th").all()} == {"none"}
    head(opened, "Total").get_by_role("button").click()
    assert names(opened) == [
        *("emre", "goran", "hana", "dora", "student 9"),
        *("farah", "student 10", "Čeněk", "ada"),
    ]
    assert head(opened, "Total").get_attribute("aria-sort") == "ascending"
    head(opened, "Total").get_by_role("button").click()
    assert names(opened)[:3] == ["ada", "Čeněk", "farah"]
    assert names(opened)[-3:] == ["emre", "goran", "hana"]  # equal marks stay in the order of names
    assert head(opened, "Total").get_attribute("aria-sort") == "descending"


def test_the_keyboard_sorts_every_column(show: Show) -> None:
    opened = show().page
    expected = {
        "Learner": ["ada", "Čeněk", "dora", "emre", "farah", "goran", "hana", "student 9"],
        "lstm_cell": ["hana", "emre", "goran", "student 9", "dora", "Čeněk", "ada", "farah"],
        "lstm_layer": ["dora", "emre", "farah", "goran", "hana", "student 10", "ada", "Čeněk"],
    }
    for key, (column, order) in zip(("Enter", "Space", "Enter"), expected.items(), strict=True):
        head(opened, column).get_by_role("button").press(key)
        assert names(opened)[:8] == order
        assert head(opened, column).get_attribute("aria-sort") == "ascending"
        assert opened.locator("[aria-sort=ascending]").count() == 1
    head(opened, "Notes").get_by_role("button").press("Enter")
    head(opened, "Notes").get_by_role("button").press("Enter")
    assert names(opened)[:3] == ["dora", "Čeněk", "ada"]
    focus = opened.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(focus.removesuffix("px")) >= 2


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("CENEK", ["Čeněk"]),
        ("student", ["student 10", "student 9"]),
        ("partly right", ["Čeněk", "dora", "student 9"]),
        ("timeout", ["farah"]),
        ("waits", ["hana"]),
        ("by a person", ["Čeněk"]),
        ("late", ["Čeněk"]),
        ("mended", ["dora"]),
        ("<b>", []),
    ],
)
def test_the_filter_knows_names_and_verdicts(words: str, found: list[str], show: Show) -> None:
    opened = show().page
    opened.get_by_label("Find").press_sequentially(words)
    assert names(opened) == found
    assert opened.locator("#count").inner_text() == f"{len(found)} of 9 learners"
    head(opened, "Learner").get_by_role("button").click()
    assert sorted(names(opened)) == sorted(found)  # sorting shows nobody who was filtered away
    opened.get_by_label("Find").fill("")
    assert len(names(opened)) == 9
    assert opened.locator("#count").inner_text() == ""


def test_without_scripts_the_page_is_complete(show: Show) -> None:
    opened = show(script=False).page
    assert len(names(opened)) == 9
    assert not opened.get_by_label("Find").is_visible()
    assert opened.locator("button").count() == 0
    opened.locator(".mistakes summary").first.click()
    assert "dora" in opened.locator(".mistakes .names").first.inner_text()


@pytest.mark.parametrize(
    "student", ["ada", "Žofie #1 100%?", "javascript:alert(1)", "a&b<c>", "'\"'"]
)
def test_a_name_leads_to_the_feedback_page(student: str, show: Show, tmp_path: Path) -> None:
    one = record(student, cell(), layer())
    path = tmp_path / "feedback" / student / "lstm" / "lstm.html"
    path.parent.mkdir(parents=True)
    path.write_text(page(one), encoding="utf-8")
    opened = show([one]).page
    opened.locator("tbody th a").click()
    opened.wait_for_load_state()
    assert opened.title() == f"lstm: {student}"


def hostile() -> list[Record]:
    """Records with scripts wherever a learner's text can come from."""
    bad = [
        cell("partial", 1.0, message=HOSTILE),
        cell("error", 0.0, message=HOSTILE),
        cell("timeout", 0.0, message=HOSTILE),
        cell("refused", 0.0, message=HOSTILE),
        cell(points=None, message=HOSTILE, flags=(HOSTILE, HOSTILE)),
    ]
    return [
        record(f"{i}{HOSTILE}", one, repairs=(HOSTILE,), sandbox=HOSTILE)
        for i, one in enumerate(bad)
    ]


def test_nothing_that_a_learner_wrote_runs(show: Show) -> None:
    opened = show(hostile(), {f"0{HOSTILE}": ByHand(penalty=1.0)}, [HOSTILE])
    text = part(opened.page, "Who needs a look") + part(opened.page, "Good to know")
    opened.page.get_by_label("Find").fill(HOSTILE[:20])
    head(opened.page, "Learner").get_by_role("button").click()
    assert len(names(opened.page)) == 5
    assert text.count("window.ran = 1</script>") >= 15
    assert opened.page.evaluate("window.ran") is None
    assert opened.page.locator("script").count() == 1
    assert opened.page.locator("img, svg:not(.bar), [onerror], [onload]").count() == 0
    links = opened.page.locator("a").evaluate_all("all => all.map((e) => e.getAttribute('href'))")
    assert links and all(link.startswith("../feedback/") for link in links)
    assert opened.complaints == []
    assert len(opened.requests) == 1
    assert "49" not in text


def test_the_policy_lets_only_the_pages_own_script_run(show: Show) -> None:
    """Even if something were not escaped."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        planted = (
            f"<script>window.ran = 1</script><img src='{address}' onerror='window.ran = 2'>"
            f"<script src='{address}'></script><link rel=stylesheet href='{address}'>"
        )
        opened = show(edit=lambda html: html.replace("</main>", f"{planted}</main>"))
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has called
            listener.accept()
    assert opened.page.evaluate("window.ran") is None
    assert [said for said in opened.complaints if "Content Security Policy" in said]
    head(opened.page, "Total").get_by_role("button").click()
    assert names(opened.page)[-1] == "ada"


@pytest.mark.parametrize("records", [CLASS, many(300), hostile()], ids=["few", "many", "bad"])
def test_page_fits_a_phone(records: list[Record], show: Show) -> None:
    opened = show(records, width=390).page
    part(opened, "Who needs a look")  # unfolds everything
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    past = opened.evaluate(
        """() => [...document.querySelectorAll("body *")]
             .filter((e) => e.getBoundingClientRect().right > innerWidth && !e.closest("table"))
             .map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert past == []


@pytest.mark.parametrize("width", [390, 1280])
def test_the_head_and_the_names_stay_in_sight(width: int, show: Show) -> None:
    opened = show(many(300), width=width).page
    box = opened.locator(".scroll")
    box.evaluate("e => e.scrollTo(120, 2000)")
    corner = box.bounding_box()
    assert corner
    place = head(opened, "Learner").bounding_box()
    assert place and (place["x"], place["y"]) == pytest.approx((corner["x"], corner["y"]), abs=2)
    name = opened.locator("tbody th").nth(70).bounding_box()
    assert name and name["x"] == pytest.approx(corner["x"], abs=2)


@pytest.mark.parametrize("width", [390, 1280])
def test_rows_end_on_whole_pixels(width: int, show: Show) -> None:
    """Else the line under a name, which is drawn apart from the others, is a pixel off."""
    rows = show(many(20), width=width).page.locator("tbody tr")
    heights = rows.evaluate_all("all => all.map((e) => e.getBoundingClientRect().height)")
    assert heights == [round(height) for height in heights]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_its_background(theme: str, show: Show) -> None:
    records = [*CLASS, replace(CLASS[0], student="zoe", sandbox="none")]
    opened = show(records, theme=theme).page
    part(opened, "Who needs a look")  # unfolds everything
    weak = opened.evaluate(
        f"""() => [...document.querySelectorAll("body *")]
              .filter((e) => e.checkVisibility() && e.innerText?.trim())
              .map((e) => [({CONTRAST})(e), e.outerHTML.slice(0, 120)])
              .filter(([contrast]) => contrast < 4.5)"""
    )
    assert weak == []
    paper = opened.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert (paper == "rgb(20, 25, 28)") == (theme == "dark")


def test_headings_are_in_order(show: Show) -> None:
    opened = show().page
    levels = opened.locator("h1, h2, h3, h4").evaluate_all("all => all.map((e) => e.tagName)")
    assert levels == ["H1", "H2", "H2", "H2", "H2", "H3", "H3", "H2"]
    assert opened.title() == "lstm: the class"


def test_an_empty_class_has_a_page(show: Show) -> None:
    opened = show([], {}, ["ivan"])
    assert "Handed in nothing: 1" in opened.page.locator("main").inner_text()
    assert opened.complaints == []


def test_records_with_other_exercises_get_empty_fields(show: Show) -> None:
    opened = show([record("ada", cell()), record("bilal", layer())], {}, []).page
    found = [row.locator("td").all_inner_texts() for row in opened.locator("tbody tr").all()]
    assert found == [["6", "✓6", "", ""], ["4", "", "✓4", ""]]


def test_ten_thousand_learners_open_and_can_be_searched(show: Show) -> None:
    opened = show(many(10_000), {}, []).page
    assert opened.locator("tbody tr").count() == 10_000
    opened.get_by_label("Find").fill("surname 09999")
    assert names(opened) == ["Learner Surname 09999"]
