"""A small project with the echo fakes: the whole loop in milliseconds, and each test in its own folder."""

import json
import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import tunewright as tw
from tunewright.nouns import Channel
from tunewright.store import Work

settings.register_profile("house", deadline=None, max_examples=60, derandomize=True, database=None)
settings.load_profile("house")

SHOP = [
    ("Where is my parcel?", "It is on its way, and you get a tracking link by e-mail."),
    ("How do I return shoes?", "Use the label in the box within 30 days."),
    ("Is delivery free?", "Delivery is free above 40 euro."),
    ("Do you ship to Norway?", "We ship to Belgium and Germany only."),
    ("What are the opening hours?", "We are open from 9 to 5 on working days."),
    ("Can I pay with a gift card?", "Gift cards are accepted at the checkout."),
    ("Which pots are frost proof?", "All stoneware pots stand outside in winter."),
    ("How often should a cactus drink?", "Once every three weeks is plenty for a cactus."),
    ("May dogs visit the workshop?", "Dogs are welcome when they are on a leash."),
    ("Who pays for returns?", "Return postage is ours when a thing arrives broken."),
    ("When is the sale?", "Our sale begins on the first of July."),
    ("Is the glaze food safe?", "Every glaze that we use is free of lead."),
]

YAML = """
name: shop
summary: Answers questions about a shop that does not exist.
data:
  - file: data/*.jsonl
    licence: CC0-1.0
    origin: written for the tests
    basis: all fictional
tune:
  base: "echo:"
  trainer: echo
evaluate:
  cases: evaluation/cases.jsonl
  runtime: echo
  shots: [0]
policy:
  vet: {personal: redact, secrets: redact, duplicates: drop, contamination: drop, licence: quarantine}
  release:
    - {measure: golden.contains.tuned-base, at_least: 0.1}
  serve: {secrets: block, injection: block}
"""


def conversation(question: str, answer: str, **more: object) -> str:
    """One row of OpenAI chat messages."""
    said = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": said, **more})


def case(number: int, question: str, answer: str) -> str:
    """One evaluation case. Echo knows only what it has heard, so cases repeat the training questions."""
    said = [{"role": "user", "content": question}]
    return json.dumps({"id": f"case-{number}", "messages": said, "reference": answer, "contains": [answer]})


def fill(folder: Path, *, customer: str = "") -> Path:
    """Make a folder a project. Contamination is switched off: echo can only be asked what it was taught.

    The first conversation belongs to `customer`, if one is given.
    """
    (folder / "data").mkdir(parents=True)
    (folder / "evaluation").mkdir()
    (folder / "tunewright.yaml").write_text(YAML.replace("contamination: drop, ", ""))
    rows = [
        conversation(q, a, **({"customer": customer} if customer and not n else {}))
        for n, (q, a) in enumerate(SHOP)
    ]
    (folder / "data" / "chat.jsonl").write_text("\n".join(rows))
    cases = (case(n, q, a) for n, (q, a) in enumerate(SHOP))
    (folder / "evaluation" / "cases.jsonl").write_text("\n".join(cases))
    return folder


@pytest.fixture(scope="session")
def make() -> Callable[..., Path]:
    """Makes a folder a project."""
    return fill


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine says, tests use their own folder and database."""
    for name in ("TUNEWRIGHT_DATABASE", "TUNEWRIGHT_ACTOR", "TUNEWRIGHT_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project folder."""
    return fill(tmp_path)


@pytest.fixture
def reopen(folder: Path) -> Iterator[Callable[[], tw.Project]]:
    """Opens the project anew, as another process would; everything is closed at the end."""
    opened = list[tw.Project]()

    def again() -> tw.Project:
        opened.append(tw.open(folder, actor="ada"))
        return opened[-1]

    yield again
    for project in opened:
        project.close()


@pytest.fixture
def project(reopen: Callable[[], tw.Project]) -> tw.Project:
    """The project, open."""
    return reopen()


def _write(folder: Path, url: str, who: str, count: int) -> None:
    """What one of several processes does."""
    project = tw.open(folder, actor=who, url=url)
    for number in range(count):
        with project.ledger.step(Work("tune", "c0ffee".ljust(64, "0"), ()), who, {"n": number}) as step:
            step.save(Channel(name=f"{who}-{number}", release="a" * 64), who)
            step.keep(f"said by {who}")
    project.close()


@pytest.fixture
def together() -> Callable[..., None]:
    """Lets several processes write to the same project at the same time."""

    def start(folder: Path, url: str, *, writers: int, count: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        team = [spawn.Process(target=_write, args=(folder, url, f"w{n}", count)) for n in range(writers)]
        for one in team:
            one.start()
        for one in team:
            one.join(60)
        assert [one.exitcode for one in team] == [0] * writers

    return start
