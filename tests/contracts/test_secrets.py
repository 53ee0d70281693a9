"""A thousand formats of keys are found in any surroundings, and by either engine alike."""

import random
import re
import string
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tunewright.checks._secret_formats import formats
from tunewright.checks.secrets import _compiled, _filter, _follow, _looks, secrets
from tunewright.errors import BadInput
from tunewright.nouns import Finding, Message, Origin, Record

ORIGIN = Origin(source="shop", file="rows.jsonl", line=1)
W = string.ascii_letters + string.digits
SIGNS = {
    **dict.fromkeys("wWvAtesbpPD", W),
    **dict.fromkeys("lLm", string.ascii_lowercase + string.digits),
    **dict.fromkeys("UM", string.ascii_uppercase + string.digits),
    **dict.fromkeys("hx", "0123456789abcdef"),
    "d": string.digits,
    "a": string.ascii_letters,
    "c": string.ascii_lowercase,
}
AROUND = (
    "{}",
    "Please use {}, it works.",
    'api = "{}"',
    '{{"value": "{}", "n": 1}}',
    "SOME_NAME={}\nNEXT=1",
    "Grüße 😀 aus Köln: {} bitte",
    "- name: {}\n  port: 80",
)


@pytest.fixture(scope="module", autouse=True)
def _elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEWRIGHT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def said(text: str, id: str = "r") -> Record:
    return Record(id=id, messages=(Message(role="user", content=text),), origin=ORIGIN)


def made(shape: str, draw: random.Random) -> str:
    """A key of a shape."""

    def part(match: re.Match[str]) -> str:
        kind, least, most, either = match.groups()
        if either:
            return str(draw.choice(either.split("|")))
        if kind == "g":
            return "-".join("".join(draw.choices("0123456789abcdef", k=n)) for n in (8, 4, 4, 4, 12))
        length = draw.randint(int(least), min(int(most or least), int(least) + 20))
        return "".join(draw.choices(SIGNS[kind], k=length))

    return re.sub(r"\{(\w)(\d+)?(?:,(\d+))?\}|\(([^)]+)\)", part, shape)


def test_the_table_holds_more_than_a_thousand_formats_each_once() -> None:
    table = formats()
    assert len(table) > 1200
    assert len({(f.shape, f.words) for f in table}) == len(table)
    assert all(re.compile(f.regex).groups == 1 for f in table)


def test_a_key_of_nearly_every_format_is_found_in_any_surroundings() -> None:
    draw = random.Random(5)
    records, keys = [], []
    for n, format in enumerate(formats()):
        key = made(format.shape, draw)
        word = draw.choice(format.words.split("|")) if format.words else ""
        name = f"{word}_key = " if word and n % 2 else f"my {word} key is " if word else ""
        records.append(said(AROUND[n % len(AROUND)].format(name + key), id=str(n)))
        keys.append(key)
    hit = set()
    for f in secrets(records):
        at = records[int(f.record)].text.index(keys[int(f.record)])
        if min(f.end, at + len(keys[int(f.record)])) - max(f.start, at) >= len(keys[int(f.record)]) / 2:
            hit.add(f.record)
    missed = [formats()[n].shape for n in range(len(keys)) if str(n) not in hit]
    assert len(hit) / len(keys) >= 0.97, missed


def test_both_engines_find_the_same() -> None:
    pytest.importorskip("hyperscan")
    draw = random.Random(9)
    table = formats()
    prose = Path(__file__).read_text("utf-8") + (Path(__file__).parent / "test_checks.py").read_text("utf-8")
    texts = [prose[n : n + 300] for n in range(0, len(prose), 300)]
    for n in range(400):
        format = table[draw.randrange(len(table))]
        text = texts[n % len(texts)]
        at = draw.randrange(len(text))
        texts.append(f"{text[:at]} {format.words.split('|')[0]}: {made(format.shape, draw)} {text[at:]}")
    both = zip(texts, _filter("auto").candidates(texts), _filter("python").candidates(texts), strict=True)
    for text, fast, plain in both:
        for place in fast ^ plain:
            for n in _follow()[place]:
                assert not _compiled(n).search(text), _looks()[n].evidence


def test_the_first_pass_loses_nothing() -> None:
    draw = random.Random(4)
    texts = []
    for format in draw.sample(formats(), 4):
        texts.append(f"the {format.words.split('|')[0]} key: '{made(format.shape, draw)}' and more")
    for text, some in zip(texts, _filter("auto").candidates(texts), strict=True):
        wanted = {n for n, look in enumerate(_looks()) if re.search(look.regex, text)}
        assert wanted <= {n for place in some for n in _follow()[place]}


def test_the_pure_engine_is_usable() -> None:
    text = "The parcel with the blue lamp has not arrived yet; could you tell me where it is? " * 6
    slow = _filter("python")
    slow.candidates([text])
    begun = time.process_time()
    slow.candidates([text] * 400)
    assert len(text) * 400 / (time.process_time() - begun) > 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "Build 3f2a9c1d of branch feature-2024-new-login failed",
        "See https://example.org/articles/2024/05/how-to-keep-a-secret-garden-alive",
        "The token ring network used tokens; each token was passed along.",
        "order id 054e1df3-35e0-4bb8-a585-607dbdcd24e0 shipped",
        "Adobe sells software. Linear algebra. Segment the market.",
        "password: your-password-here",
        "export API_KEY=${API_KEY}",
        "api_key = get_secret_from_vault(name)",
        "sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "pneumonoultramicroscopicsilicovolcanoconiosis is a long word",
        "CustomerServiceRepresentativeSatisfactionScore2024 = 5",
    ],
)
def test_what_only_looks_odd_is_no_secret(text: str) -> None:
    assert list(secrets([said(text)])) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("machine api.example.org login anna password Xy7" + "kQ2pLm", "Xy7" + "kQ2pLm"),
        ('{"auths": {"r.example.org": {"auth": "YW5u' + 'YTpTb21tZXI3NQ=="}}}', "YW5u" + "YTpTb21tZXI3NQ=="),
        ("curl -u anna:Som" + "mer75x https://example.org", "Som" + "mer75x"),
        ("Server=db;Database=x;User Id=sa;Password=Som" + "mer75x;", "Som" + "mer75x"),
        ("DB_PASS=Som" + "mer75x", "Som" + "mer75x"),
        ("//registry.example.org/:_authToken=a1B2" + "c3D4e5F6g7H8i9", "a1B2" + "c3D4e5F6g7H8i9"),
        ("mysql://root:Som" + "mer75x@127.0.0.1/app", "Som" + "mer75x"),
        ("<password>Som" + "mer75x</password>", "Som" + "mer75x"),
        ("https://api.example.org/v1?api_key=a1B2" + "c3D4e5F6g7H8i9", "a1B2" + "c3D4e5F6g7H8i9"),
        ("Пароль: Som" + "mer75x", "Som" + "mer75x"),
    ],
)
def test_a_secret_in_a_file_of_settings_is_found(text: str, words: str) -> None:
    assert words in [text[f.start : f.end] for f in secrets([said(text)])]


def test_a_key_that_documentation_prints_is_of_low_severity() -> None:
    (found,) = secrets([said("use sk" + "_test_4eC39HqLyjWDarjtT1zdp7dc here")])
    assert (found.severity, found.what) == ("low", "stripe")


def test_own_formats_and_keys_that_are_allowed() -> None:
    pytest.importorskip("re2")
    text = "customer ACME-4711-0815 and ghp" + "_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"
    both = list(secrets([said(text)], patterns={"acme": r"(?:customer )(ACME-\d+-\d+)"}))
    assert ("acme", "ACME-4711-0815") in [(f.what, text[f.start : f.end]) for f in both]
    assert [f.what for f in secrets([said(text)], allow=("ghp" + "_aB3",))] == []
    with pytest.raises(BadInput):
        list(secrets([said(text)], patterns={"bad": r"(a)\1"}))


def test_a_finding_says_what_it_rests_on_and_not_what_it_found() -> None:
    key = "npm" + "_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"
    (found,) = secrets([said(f"token {key}")])
    assert found.what == "npm"
    assert found.evidence == "the form of its keys"
    assert key not in found.model_dump_json()


@pytest.mark.parametrize(
    "unit", ["a", "api_key", "password ", "sk-a", "eyJ", "x=", "://a:", "0a", "adobe ", "-----BEGIN ", "=a1B"]
)
def test_hostile_text_takes_time_in_proportion(unit: str) -> None:
    text = (unit * 50_000)[:50_000]
    begun = time.process_time()
    list(secrets([said(text)]))
    assert time.process_time() - begun < 3


def test_records_are_streamed() -> None:
    def endless() -> Iterator[Record]:
        n = 0
        while True:
            n += 1
            yield said("the password is Som" + "mer75x " + "and more words " * 200, id=str(n))

    found: Finding = next(secrets(endless()))
    assert found.record == "1"
