"""What people said in service: outside the ledger, so that it can be erased."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tunewright.errors import NotFound
from tunewright.nouns import Exchange, Feedback, Message, Verdict
from tunewright.store import Traffic, connect


@pytest.fixture
def traffic(tmp_path: Path) -> Iterator[Traffic]:
    engine = connect(f"sqlite:///{tmp_path / 'traffic.db'}")
    yield Traffic(engine)
    engine.dispose()


def exchange(name: str, *, days_ago: float = 0, channel: str = "production", person: str = "") -> Exchange:
    return Exchange(
        id=name,
        release="a" * 64,
        channel=channel,
        at=datetime.now(UTC) - timedelta(days=days_ago),
        messages=(Message(role="user", content=f"{name}?"), Message(role="assistant", content="Yes.")),
        verdict=Verdict(action="allow"),
        seconds=0.5,
        tokens=1,
        person=person,
    )


def word(name: str, thumb: str = "up", **more: object) -> Feedback:
    return Feedback.model_validate({"exchange": name, "at": datetime.now(UTC), "thumb": thumb, **more})


def test_an_exchange_comes_back_as_it_was(traffic: Traffic) -> None:
    kept = exchange("one")
    traffic.add(kept)
    assert traffic.get("one") == kept


def test_an_exchange_that_is_not_there_is_not_found(traffic: Traffic) -> None:
    with pytest.raises(NotFound, match="no exchange 'two'"):
        traffic.get("two")


def test_the_last_days_come_oldest_first_and_by_channel(traffic: Traffic) -> None:
    for name, ago, channel in (
        ("new", 0.1, "production"),
        ("old", 9, "production"),
        ("mid", 2, "production"),
        ("can", 1, "canary"),
    ):
        traffic.add(exchange(name, days_ago=ago, channel=channel))
    assert [e.id for e in traffic.since(7)] == ["mid", "can", "new"]
    assert [e.id for e in traffic.since(7, "production")] == ["mid", "new"]
    assert [e.id for e in traffic.since(0.5, "canary")] == []
    assert [e.id for e in traffic.since(30)] == ["old", "mid", "can", "new"]


def test_a_later_word_replaces_the_earlier(traffic: Traffic) -> None:
    traffic.add(exchange("one"))
    traffic.say(word("one", "up"))
    traffic.say(word("one", "down", correction="No.", consent=True))
    (kept,) = traffic.words().values()
    assert (kept.thumb, kept.correction, kept.consent) == ("down", "No.", True)


def test_nobody_can_judge_an_exchange_that_never_was(traffic: Traffic) -> None:
    with pytest.raises(NotFound):
        traffic.say(word("ghost"))
    assert traffic.words() == {}


def test_erasing_takes_the_exchange_and_what_was_said_of_it(traffic: Traffic) -> None:
    for name, person in (("one", "c" * 64), ("two", "c" * 64), ("three", "d" * 64)):
        traffic.add(exchange(name, person=person))
        traffic.say(word(name))
    assert sorted(traffic.of("c" * 64)) == ["one", "two"]
    assert traffic.erase(traffic.of("c" * 64)) == 2
    assert [e.id for e in traffic.since(1)] == ["three"]
    assert list(traffic.words()) == ["three"]
    assert traffic.erase([]) == 0


def test_a_person_with_very_many_exchanges_can_be_erased(traffic: Traffic) -> None:
    with traffic.engine.begin() as db:
        from tunewright.store.tables import exchanges

        one = exchange("x", person="c" * 64)
        row = one.model_dump(include={"channel", "at", "person", "seconds"}) | {
            "action": "allow",
            "body": "{}",
        }
        db.execute(exchanges.insert(), [{**row, "id": f"e{n}"} for n in range(33_000)])
    assert traffic.erase(traffic.of("c" * 64)) == 33_000


def test_erased_words_are_gone_from_the_file(traffic: Traffic, tmp_path: Path) -> None:
    traffic.add(exchange("a very particular question", person="c" * 64))
    traffic.erase(traffic.of("c" * 64))
    traffic.engine.dispose()
    assert b"a very particular question" not in b"".join(p.read_bytes() for p in tmp_path.glob("traffic.db*"))
