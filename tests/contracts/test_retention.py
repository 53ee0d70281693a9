"""Records whose last day of use has passed are found; dates that nobody can read are not passed over."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunewright.checks import GIVEN, checks
from tunewright.nouns import Finding, Message, Origin, Record, Source, Tally
from tunewright.rights import expired, last_day

TODAY = date(2026, 11, 23)


def record(number: int = 0, source: str = "desk", **facts: str) -> Record:
    origin = Origin(source=source, file="rows.jsonl", line=number + 1)
    return Record(id=f"r{number}", messages=(Message(role="user", content="hi"),), facts=facts, origin=origin)


def source(name: str = "desk", until: str = "") -> Source:
    return Source(
        name=name, uri="file:x", licence="MIT", origin="us", basis="own", retain_until=until, sha256="0" * 64
    )


def run(*records: Record, **options: object) -> list[object]:
    return list(checks["retention"](records, **{"today": TODAY, **options}))


def whats(seen: list[object]) -> list[str]:
    return [f.what for f in seen if isinstance(f, Finding)]


@pytest.mark.parametrize(
    ("until", "is_over"),
    [
        ("2026-11-22", True),
        ("2026-11-23", False),
        ("2026-11-24", False),
        ("2026-10", True),
        ("2026-11", False),
        ("2025", True),
        ("2026", False),
        ("2026-11-22T10:00:00Z", True),
        ("2024-02", True),
        ("", False),
        ("none", False),
        ("never ends", False),
    ],
)
def test_the_last_day_itself_is_still_in_time(until: str, is_over: bool) -> None:
    assert expired(until, TODAY) is is_over


@pytest.mark.parametrize(
    "until", ["soon", "2026-13", "2026-02-30", "31.12.2026", "12/2026", "２０２６", "0000", "2026-1"]
)
def test_what_is_no_date_is_refused(until: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        expired(until, TODAY)


@given(st.dates(min_value=date(1, 1, 1)), st.dates())
def test_every_day_is_over_exactly_when_it_lies_before(last: date, today: date) -> None:
    assert expired(last.isoformat(), today) is (last < today)
    month = last_day(f"{last:%Y-%m}" if last.year > 999 else f"{last.year:04}-{last.month:02}")
    assert month is not None
    assert month >= last
    assert month == date.max or (month + timedelta(days=1)).day == 1


def test_the_row_and_its_source_count_and_the_earlier_date_decides() -> None:
    assert whats(run(record(retain_until="2026-01-31"), sources=(source(),))) == ["expired"]
    assert whats(run(record(), sources=(source(until="2026-01-31"),))) == ["expired"]
    assert whats(run(record(retain_until="2030"), sources=(source(until="2026-01-31"),))) == ["expired"]
    assert whats(run(record(retain_until="2026-01-31"), sources=(source(until="2030"),))) == ["expired"]
    assert whats(run(record(retain_until="2030"), sources=(source(until="none"),))) == []


def test_a_date_that_cannot_be_read_is_said_and_not_passed_over() -> None:
    (found,) = run(record(retain_until="end of next year"))
    assert isinstance(found, Finding)
    assert (found.what, found.severity) == ("unreadable", "medium")
    assert "next year" not in found.note + found.evidence
    assert whats(run(record(retain_until="2020"), sources=(source(until="soon"),))) == ["expired"]


def test_sources_without_a_date_are_listed_once_for_the_whole() -> None:
    rows = [record(n, "desk" if n % 2 else "survey") for n in range(6)]
    seen = run(*rows, sources=(source("desk"), source("survey", "2030-06"), source("unused")))
    (found,) = [f for f in seen if isinstance(f, Finding)]
    assert (found.what, found.record, found.severity) == ("undated", "", "low")
    assert "desk" in found.note
    assert "survey" not in found.note
    (tally,) = [t for t in seen if isinstance(t, Tally)]
    assert tally.counts == {"2030-06": 3, "no date is stated": 3}


def test_every_record_falls_into_one_month() -> None:
    rows = [record(n, retain_until=f"202{n % 10}-0{n % 9 + 1}") for n in range(50)]
    seen = run(*rows, sources=(source(),))
    (tally,) = [t for t in seen if isinstance(t, Tally)]
    assert sum(tally.counts.values()) == 50


def test_today_is_given_by_the_caller_and_is_this_day_otherwise() -> None:
    assert {"sources", "today"} <= set(GIVEN)
    yesterday = (date.today() - timedelta(days=1)).isoformat()
    assert [f.what for f in checks["retention"]([record(retain_until=yesterday)])] == ["expired"]
    tomorrow = (date.today() + timedelta(days=1)).isoformat()
    assert list(checks["retention"]([record(retain_until=tomorrow)])) == []
