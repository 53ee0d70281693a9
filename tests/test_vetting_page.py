"""The vetting report and the list of changes: sums that hold, and foreign text that steers nothing."""

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunewright.documents import Found, Limit, Point, Vetting, documents
from tunewright.documents._vetting_words import seen, share
from tunewright.nouns import Dataset, Edit, Finding, Measure, Origin, Reject, Report, Source, Tally
from tunewright.rights import Data, Intent, Rights, judge

NASTY = "</style><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202eevil\u2066\x00\x1b[31m\u200b"
VOID = {"meta", "input", "br", "img", "hr", "link"}


def dataset(name: str, fates: dict[str, int], **more: object) -> Dataset:
    kept = sum(n for fate, n in fates.items() if fate in ("kept", "cleaned"))
    said: dict[str, object] = {
        "name": name,
        "records": "a" * 64,
        "count": kept,
        "quarantine": "b" * 64,
        "received": sum(fates.values()),
        "fates": fates,
        "sources": (source(),),
    }
    return Dataset.model_validate({**said, **more})


def source(name: str = "data/chat.jsonl", licence: str = "CC-BY-4.0", **more: str) -> Source:
    said = {"uri": name, "origin": "the help desk", "basis": "contract", "sha256": "c" * 64}
    return Source.model_validate({**said, "name": name, "licence": licence, **more})


def edit(
    number: int, state: Literal["made", "waiting", "accepted", "rejected"] = "made", **more: str
) -> Edit:
    said = {
        "change": hashlib.sha256(f"{number}".encode()).hexdigest(),
        "record": f"r{number}",
        "origin": Origin(source="data/chat.jsonl", file="data/chat.jsonl", line=number),
        "message": 1,
        "check": "personal",
        "what": "email",
        "note": "an e-mail address",
        "remedy": "redact",
        "before": "ann@mail.example",
        "after": "[EMAIL]",
        "left": "write to ",
        "right": ", please",
        "state": state,
    }
    return Edit.model_validate({**said, **more})


def measure(name: str, value: float, low: float, high: float, n: int = 100) -> Measure:
    return Measure(name=name, value=value, low=low, high=high, n=n, method="share, Wilson interval")


def lawful(*data: Data, commercial: bool = True) -> Rights:
    return judge(data, base=None, intent=Intent(commercial, False))


def evidence(**more: object) -> Vetting:
    """A vetted dataset with a bit of everything."""
    gathered = dataset(
        "gathered", {"kept": 95, "quarantined: not JSON": 3, "quarantined: its id stands already": 2}
    )
    vetted = dataset(
        "vetted",
        {
            "kept": 70,
            "cleaned": 10,
            "dropped: duplicates (near)": 8,
            "dropped: duplicates (exact)": 2,
            "quarantined: waits for a person: personal (name)": 5,
        },
        parent=gathered.digest,
    )
    report = Report(
        about="data",
        subject=vetted.digest,
        measures=(
            measure("vet.personal", 0.15, 0.09, 0.23, 95),
            measure("vet.duplicates", 0.1, 0.05, 0.18, 95),
            measure("vet.secrets", 0.0, 0.0, 0.04, 95),
            measure("canary.personal", 0.98, 0.94, 1.0, 120),
            measure("audit.personal.recall", 0.8, 0.6, 0.9, 50),
            measure("sufficiency.effective_size", 83, 80, 85, 95),
        ),
        details="d" * 64,
        plugins=("checks/personal", "checks/duplicates", "checks/secrets"),
    )
    made = Vetting(
        project="shop",
        gathered=gathered,
        vetted=vetted,
        report=report,
        tallies=(
            Tally(check="language", name="language", counts={"en": 90, "de": 5}),
            Tally(check="representation", name="label", counts={f"label_{n}": 60 - n for n in range(40)}),
            Tally(check="duplicates", name="clusters", counts={"2": 6, "3": 2, "4-9": 0}),
            Tally(
                check="canary",
                name="personal",
                counts={"email, found": 12, "name, found": 3, "name, missed": 9},
            ),
            Tally(check="somebody", name="elses_count", counts={"this": 3, "that": 4}, note="a stranger's"),
        ),
        about=(
            Finding(
                check="representation",
                what="imbalance",
                record="",
                severity="medium",
                note="one label is rare",
            ),
        ),
        found=(
            Found("personal", "email", "medium", 12, 10),
            Found("personal", "name", "medium", 6, 5),
            Found("duplicates", "near", "low", 8, 8),
        ),
        rejects=(
            Reject(
                origin=Origin(source="data/chat.jsonl", file="data/chat.jsonl", line=12),
                reason="drop: repeats record data/chat.jsonl:3 nearly: similarity 0.91",
            ),
        ),
        edits=(*(edit(n) for n in range(1, 11)), edit(11, "waiting", what="name", before="Ann Berg")),
        edited=11,
        rights=lawful(Data("CC-BY-4.0", 50, "data/chat.jsonl"), Data("CC-BY-NC-4.0", 30, "data/forum.jsonl")),
        limits=(Limit("checks/personal", "Personal data.", "patterns, no model of language."),),
        points=tuple(Point(n % 7, n % 5, n % 3) for n in range(60)),
        topics=("parcel · late", "refund · money", "pots · frost"),
    )
    return made._replace(**more)


class Page(HTMLParser):
    """What a browser would make of a page, as far as these tests ask."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags = Counter[str]()
        self.attributes = list[tuple[str, str, str]]()
        self.open = list[str]()
        self.words = list[str]()
        self.tables = dict[str, list[list[str]]]()
        self._table = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        said = dict(attrs)
        if tag == "table":
            self._table = said.get("data-stage") or ""
            self.tables.setdefault(self._table, [])
        if tag == "tr":
            self.tables.setdefault(self._table, []).append([])
        if tag in ("td", "th"):
            self.tables[self._table][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._table = ""
        assert self.open[-1:] == [tag], f"</{tag}> closes <{self.open[-1:]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)
        rows = self.tables.get(self._table)
        if rows and rows[-1] and {"td", "th"} & set(self.open):
            rows[-1][-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def vetting(given: Vetting) -> Page:
    return Page(documents["vetting"](given))


def changes(given: Vetting) -> Page:
    return Page(documents["changes"](given))


def sums(page: Page, stage: str) -> tuple[list[int], int]:
    """The numbers of a stage's table, and the total below them."""
    rows = [(row[0], int(row[1].replace(",", ""))) for row in page.tables[stage][1:]]
    return [n for _, n in rows[:-1]], rows[-1][1]


# ── the numbers ─────────────────────────────────────────────────────────────────────────────────


def test_the_numbers_on_the_page_add_up_step_by_step() -> None:
    page = vetting(evidence())
    parts, total = sums(page, "gather")
    assert sum(parts) == total == 100
    parts, received = sums(page, "vet")
    assert sum(parts) == received == 95
    assert "80 of 100 records came through, 10 of them cleaned; 5 could not be read or taken" in page.text
    assert "10 dropped, 5 held back" in page.text
    assert page.text.count("adds up") == 2
    assert "does not add up" not in page.text


@given(
    st.dictionaries(
        st.sampled_from(
            ["kept", "cleaned", "dropped: x (y)", "dropped: it's 12", "quarantined: z", "odd: 1", "q"]
        ),
        st.integers(1, 10**7),
        min_size=1,
    )
)
def test_whatever_the_fates_are_the_table_sums_to_what_was_received(fates: dict[str, int]) -> None:
    gathered = dataset("gathered", {"kept": sum(fates.values())})
    page = vetting(evidence(gathered=gathered, vetted=dataset("vetted", fates)))
    parts, received = sums(page, "vet")
    assert sum(parts) == received == sum(fates.values())


def test_counts_that_do_not_add_up_are_called_so() -> None:
    wrong = dataset("vetted", {"kept": 70}).model_copy(update={"received": 95})
    page = vetting(evidence(vetted=wrong))
    assert "The counts do not add up" in page.text
    assert "does not add up" in page.text


def test_the_pieces_of_the_picture_are_those_of_the_table() -> None:
    page = vetting(evidence())
    says = next(
        v for tag, name, v in page.attributes if (tag, name) == ("svg", "aria-label") and "came in" in v
    )
    told = [int(n.replace(",", "")) for n in re.findall(r"([\d,]+) (?:held back|dropped|cleaned|kept)", says)]
    assert sum(told) == 100


def test_many_reasons_are_drawn_as_one_and_listed_in_full() -> None:
    fates = {"kept": 10} | {f"dropped: check_{chr(97 + n)} (x)": n + 1 for n in range(26)}
    page = vetting(evidence(gathered=dataset("g", {"kept": 361}), vetted=dataset("vetted", fates)))
    says = next(
        v for tag, name, v in page.attributes if (tag, name) == ("svg", "aria-label") and "came in" in v
    )
    assert "for other reasons" in says
    assert sum(int(n) for n in re.findall(r"(\d+) (?:dropped|kept)", says)) == 361
    assert len(page.tables["vet"]) == 1 + 27 + 1


@pytest.mark.parametrize(
    ("n", "whole", "told"),
    [
        (0, 10, "0%"),
        (1, 10, "10%"),
        (1, 3, "33%"),
        (1, 30, "3.3%"),
        (1, 5000, "<0.1%"),
        (5, 0, "0%"),
        (3, 3, "100%"),
    ],
)
def test_a_share_that_is_not_nothing_is_never_shown_as_nothing(n: int, whole: int, told: str) -> None:
    assert share(n, whole) == told


# ── what stands on the page ─────────────────────────────────────────────────────────────────────


def test_the_page_shows_what_was_found_what_is_missed_and_what_it_may_be_used_for() -> None:
    text = vetting(evidence()).text
    for words in (
        "e-mail address",
        "data/chat.jsonl:1",
        "5 records waiting for a person",
        "repeats record data/chat.jsonl:3 nearly",
        "English (en)",
        "this",
        "A stranger's",
        "one label is rare".capitalize(),
        "Planted and often missed: name (3 of 12)",
        "commercial use",
        "CC-BY-NC-4.0",
        "Not legal advice",
        "collected by",
        "Patterns, no model of language.",
        "Not looked at",
        "toxicity",
    ):
        assert words in text, words


def test_a_change_that_waits_is_the_first_thing_to_do() -> None:
    text = vetting(evidence()).text
    assert text.index("1 change waits for a person") < text.index("One label is rare")


def test_checks_that_ran_are_not_listed_as_not_looked_at() -> None:
    part = vetting(evidence()).text.partition("Not looked at")[2].partition("Limits of the checks")[0]
    assert "toxicity" in part
    assert "personal" not in part.split(":")[1].split()


def test_every_figure_has_a_text_that_says_what_it_shows() -> None:
    pictures = re.findall(r"<svg[^>]*>", documents["vetting"](evidence()))
    assert len(pictures) > 6
    for opening in pictures:
        assert 'aria-hidden="true"' in opening or re.search(r'role="img" aria-label="[^"]{20,}"', opening), (
            opening
        )


def test_topics_are_told_apart_without_colour() -> None:
    text = documents["vetting"](evidence())
    shapes = re.findall(r'<svg class="sign"[^>]*><path class="spot c\d" d="([^"]+)"', text)
    assert len(shapes) == len(set(shapes)) == 3
    assert [re.search(rf"middle halo g{n}", text) is not None for n in range(3)] == [True] * 3


def test_a_dataset_of_one_record_without_findings_has_its_page() -> None:
    one = evidence(
        gathered=dataset("gathered", {"kept": 1}, sources=()),
        vetted=dataset("vetted", {"kept": 1}, sources=()),
        tallies=(),
        about=(),
        found=(),
        rejects=(),
        edits=(),
        edited=0,
        rights=None,
        limits=(),
        points=(),
        topics=(),
        report=evidence().report.model_copy(update={"measures": (), "plugins": ()}),
    )
    text = vetting(one).text
    assert "1 of 1 record came through; none was lost." in text
    assert "The checks noticed nothing in any record." in text
    assert "Licences were not judged." in text
    assert "Nothing was changed" in changes(one).text


def test_empty_tallies_one_point_and_unmeasured_measures_are_borne() -> None:
    some = evidence(
        tallies=(
            Tally(check="language", name="language", counts={}),
            Tally(check="x", name="y", counts={"a": 0}),
            Tally(check="canary", name="personal", counts={}),
        ),
        points=(Point(0, 0, 0),),
        topics=(),
        report=evidence().report.model_copy(update={"measures": (measure("canary.personal", 0, 0, 0, 0),)}),
    )
    assert "topic 1" in vetting(some).text


def test_a_learning_curve_is_no_sum() -> None:
    curve = Tally(check="sufficiency", name="learning_curve", counts={"100 texts": 725, "200 texts": 778})
    text = vetting(evidence(tallies=(curve,))).text
    assert "72.5%" in text
    assert "1,503" not in text


# ── foreign text ────────────────────────────────────────────────────────────────────────────────


def hostile() -> Vetting:
    """Every text that somebody else wrote is an attack."""
    bad = source(NASTY, NASTY, origin=NASTY, basis=NASTY, publisher=NASTY, link=f"javascript:{NASTY}")
    some = evidence()
    fates = {"kept": 80, f"dropped: {NASTY}": 10, f"quarantined: {NASTY}": 5}
    return some._replace(
        project=NASTY,
        gathered=dataset(
            "gathered", {"kept": 95, f"quarantined: {NASTY}": 5}, sources=(bad,), formats={NASTY: 95}
        ),
        vetted=dataset("vetted", fates, sources=(bad,)),
        tallies=(
            Tally(check=NASTY, name=NASTY, counts={NASTY: 3, "b": 1}, note=NASTY),
            Tally(check="representation", name="label", counts={f"{NASTY}{n}": 1 for n in range(40)}),
            Tally(check="canary", name=NASTY, counts={f"{NASTY}, found": 3}),
        ),
        about=(Finding(check=NASTY, what=NASTY, record="", severity="high", note=NASTY, evidence=NASTY),),
        found=(Found(NASTY, NASTY, "high", 3, 3),),
        rejects=(Reject(origin=Origin(source="s", file=NASTY, line=1), reason=f"drop: {NASTY}"),),
        edits=tuple(
            edit(n, check=NASTY, what=NASTY, note=NASTY, before=NASTY, after=NASTY, left=NASTY, right=NASTY)
            for n in range(3)
        ),
        edited=3,
        rights=lawful(Data(NASTY, 5, NASTY)),
        limits=(Limit(NASTY, NASTY, NASTY),),
        topics=(NASTY, NASTY, NASTY),
    )


@pytest.mark.parametrize("name", ["vetting", "changes"])
def test_hostile_text_stays_text(name: str) -> None:
    text = documents[name](hostile())
    page = Page(text)
    assert page.tags["img"] == 0
    assert page.tags["script"] == (name == "changes")
    assert not [a for a in page.attributes if a[1].startswith("on")]
    links = [v for _, attribute, v in page.attributes if attribute in ("href", "src", "action")]
    assert [v for v in links if not v.startswith(("#", "https://"))] == []
    steering = [
        c
        for c in text
        if c in "\x00\x1b\u200b\ufeff" or "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069"
    ]
    assert steering == []
    assert "⟨U+202E⟩" in text
    assert "alert(1)" in page.text


@pytest.mark.parametrize("name", ["vetting", "changes"])
def test_the_file_asks_for_nothing_from_elsewhere(name: str) -> None:
    text = documents[name](evidence())
    page = Page(text)
    assert not {"link", "img", "iframe", "object", "embed", "form", "base"} & set(page.tags)
    assert not [a for a in page.attributes if a[1] in ("src", "srcset", "data", "action")]
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text
    assert page.open == []


def test_only_the_script_that_belongs_to_the_page_may_run() -> None:
    text = documents["changes"](evidence())
    script = text.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "<script" not in documents["vetting"](evidence())


@given(st.text())
def test_what_is_made_visible_never_steers(text: str) -> None:
    told = seen(text)
    assert told.isprintable() or all(c.isprintable() or c in "\n\t" or c.isspace() for c in told)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b-\u200f\x00-\x08\x1b\ud800-\udfff]", told)
    told.encode()


@pytest.mark.parametrize("text", ["Grüße, 你好 – “ça va” 👍🏽", "שלום עולם", "naïve café\tok\nnext"])
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert seen(text) == text


# ── changes ─────────────────────────────────────────────────────────────────────────────────────


def test_every_change_stands_with_before_after_and_what_is_around_it() -> None:
    page = changes(evidence())
    assert page.tags["article"] == 11
    assert (page.tags["del"], page.tags["ins"]) == (11, 11)
    assert "write to ann@mail.example [EMAIL] , please" in page.text
    assert "data/chat.jsonl:7 , turn 2" in page.text
    assert "This file holds personal data" in page.text


def test_kinds_are_counted_and_those_that_wait_come_first() -> None:
    text = changes(evidence()).text
    assert "11 changes , 1 waits for a person" in text or "11 changes, 1 waits for a person" in text
    assert text.index("personal.name · 1 change · 1 waiting for a person") < text.index(
        "personal.email · 10 changes"
    )


def test_a_change_can_be_named_in_a_command_by_the_first_ten_of_its_id() -> None:
    page, one = changes(evidence()), edit(11)
    assert ("article", "data-id", one.change[:10]) in page.attributes
    assert f"--accept {one.change[:10]}" in page.text


def test_a_list_that_is_cut_short_says_so() -> None:
    text = changes(evidence(edited=2731)).text
    assert "The first 11 of 2,731 are listed here" in text
    assert "changes.jsonl" in text
    assert "2,731 changes" in text


def test_every_state_has_its_words() -> None:
    states: tuple[Literal["made", "waiting", "accepted", "rejected"], ...] = (
        "made",
        "waiting",
        "accepted",
        "rejected",
    )
    text = changes(evidence(edits=tuple(edit(n, s) for n, s in enumerate(states)), edited=4)).text
    for words in ("waiting for a person", "made", "accepted", "rejected: left as it was"):
        assert words in text


def test_a_question_about_a_whole_record_is_shown_without_words() -> None:
    whole = edit(1, "waiting", before="", after="", left="", right="", remedy="ask")
    assert "the whole record: ask" in changes(evidence(edits=(whole,), edited=1)).text


def test_a_very_long_change_is_cut() -> None:
    text = documents["changes"](evidence(edits=(edit(1, before="x" * 50_000),), edited=1))
    assert len(text) < 50_000
    assert "48,800 characters more" in text
