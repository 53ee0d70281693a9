"""Secrets: ours and detect-secrets over the same text and the same keys.

    python benchmarks/_secrets.py --data DIR [--quick]

Speed is megabytes per CPU-second of one core, both in turn on the same blocks of ordinary instruction text.
Keys are made from the table of formats and from shapes written down here apart from it, each in several
surroundings; a key counts as found when a finding covers at least half of it. The last line is one
JSON object.
"""

import argparse
import csv
import json
import random
import string
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tunewright.checks.secrets import secrets
from tunewright.nouns import Message, Origin, Record

ORIGIN = Origin(source="bench", file="text", line=1)
W = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"

# As the providers document them, apart from the table: (letters before, alphabet, length, after).
KNOWN: tuple[tuple[str, str, int, str], ...] = (
    ("AKI" + "A", UPPER, 16, ""),
    ("gh" + "p_", W, 36, ""),
    ("github" + "_pat_", W, 82, ""),
    ("glpa" + "t-", W, 20, ""),
    ("xox" + "b-123456789012-1234567890123-", W, 24, ""),
    ("sk" + "_live_", W, 24, ""),
    ("rk" + "_live_", W, 99, ""),
    ("AIz" + "a", W, 35, ""),
    ("GOCSP" + "X-", W, 28, ""),
    ("sk" + "-proj-", W, 48, ""),
    ("sk" + "-ant-api03-", W, 93, "AA"),
    ("hf" + "_", string.ascii_letters, 34, ""),
    ("npm" + "_", W, 36, ""),
    ("pypi" + "-AgEIcHlwaS5vcmc", W, 120, ""),
    ("S" + "G.", W, 22, "." + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5z7A9b1C"),
    ("shpa" + "t_", HEX, 32, ""),
    ("dop" + "_v1_", HEX, 64, ""),
    ("dap" + "i", HEX, 32, ""),
    ("key" + "-", HEX, 32, ""),
    ("", HEX, 32, "-us12"),
    ("618294753:A" + "A", W, 33, ""),
    ("gsk" + "_", W, 52, ""),
    ("r8" + "_", W, 37, ""),
    ("nvapi" + "-", W, 64, ""),
    ("pplx" + "-", W, 48, ""),
    ("tskey" + "-auth-", W, 12, "-aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1v"),
    ("dckr" + "_pat_", W, 27, ""),
    ("PMA" + "K-", HEX, 24, "-" + "0a1b2c3d4e5f60718293a4b5c6d7e8f901"),
    ("lin" + "_api_", W, 40, ""),
    ("figd" + "_", W, 40, ""),
    ("sntryu" + "_", HEX, 64, ""),
    ("glsa" + "_", W, 32, "_0a1b2c3d"),
    ("hvs" + ".", W, 95, ""),
    ("NRA" + "K-", UPPER, 27, ""),
    ("rubygems" + "_", HEX, 48, ""),
    ("pul" + "-", HEX, 40, ""),
    ("sq0at" + "p-", W, 22, ""),
    ("EZA" + "K", W, 54, ""),
    ("ATAT" + "T3", W, 186, ""),
    ("AGE-SECRET" + "-KEY-1", UPPER, 58, ""),
)
AROUND = (
    "{}",
    "Please use {} for the upload, it still works.",
    'API_KEY = "{}"',
    '{{"token": "{}", "ttl": 60}}',
    "token: {}\nregion: eu-west-1",
    "export SECRET_TOKEN={}",
    "curl -H 'Authorization: Bearer {}' https://api.example.org/v1/items",
    "https://api.example.org/v1/items?key={}&limit=5",
    "Mein Schlüssel lautet {} – bitte nicht weitergeben.",
)
NAMED: tuple[tuple[str, str, int], ...] = (
    ("algolia_api_key = '{}'", HEX, 32),
    ("DATADOG_APP_KEY={}", HEX, 40),
    ('"twilioAuthToken": "{}"', HEX, 32),
    ("my mapquest key is {}", W, 32),
    ("openweather: {}", HEX, 32),
    ("client_secret={}", W, 40),
    ("x-api-key: {}", W, 40),
    ("newsapi token {}", HEX, 32),
    ("cloudflare: {}", W, 40),
    ("STRAVA_SECRET: {}", HEX, 40),
    ("aws_secret_access_key = {}", W + "/+", 40),
)


def keys(seed: int, each: int) -> Iterator[tuple[str, str]]:
    """A text, and the key that stands in it."""
    draw = random.Random(seed)
    for before, alphabet, length, after in KNOWN:
        for n in range(each):
            key = before + "".join(draw.choices(alphabet, k=length)) + after
            yield AROUND[(n + len(before)) % len(AROUND)].format(key), key
    for n in range(each * 10):
        around, alphabet, length = NAMED[n % len(NAMED)]
        key = "".join(draw.choices(alphabet, k=length))
        yield around.format(key), key
    for n in range(each * 4):
        word = "".join(draw.choices(W + "!#$%&*", k=draw.randint(9, 18))) + "7x"
        text = (
            "postgres://app:{}@db.example.org:5432/shop",
            "the password is {}",
            "DB_PASSWORD={}",
            "Server=db1;Database=shop;User Id=app;Password={};Encrypt=true",
        )
        yield text[n % 4].format(word), word


def ordinary(data: Path) -> Iterator[tuple[str, str]]:
    """Name of the corpus and one ordinary text."""
    text, guard = data / "text", data / "guard"
    for line in _lines(text / "self_instruct" / "davinci_predictions.jsonl"):
        yield "self_instruct", "\n".join(v for v in line.values() if isinstance(v, str))
    for line in _lines(text / "self_instruct" / "seed_tasks.jsonl"):
        yield "self_instruct", json.dumps(line)
    for line in _lines(text / "oasst_sample" / "en_100_message.jsonl"):
        yield "oasst", str(line.get("text", ""))
    for name in ("train", "test"):
        for line in _lines(text / "gsm8k" / f"{name}.jsonl"):
            yield "gsm8k", f"{line['question']}\n{line['answer']}"
    clinc = json.loads((text / "clinc150" / "data_full.json").read_text("utf-8"))
    for rows in clinc.values():
        for words, _ in rows:
            yield "clinc150", words
    for name in ("train", "test"):
        with (text / "banking77" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield "banking77", row["text"]
    for name in ("benign_doc", "benign_prompt"):
        for line in _lines(guard / f"{name}.jsonl"):
            yield f"{name}/{line['source']}", str(line["text"])


def _lines(path: Path) -> Iterator[dict[str, object]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def record(n: int, text: str) -> Record:
    return Record(id=str(n), messages=(Message(role="user", content=text),), origin=ORIGIN)


def ours(texts: list[str]) -> list[list[tuple[int, int]]]:
    spans: list[list[tuple[int, int]]] = [[] for _ in texts]
    for finding in secrets(record(n, text) for n, text in enumerate(texts)):
        spans[int(finding.record)].append((finding.start, finding.end))
    return spans


def peer(texts: list[str]) -> list[list[tuple[int, int]]]:
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import default_settings

    spans: list[list[tuple[int, int]]] = [[] for _ in texts]
    with tempfile.TemporaryDirectory() as folder, default_settings():
        for n, text in enumerate(texts):
            path = Path(folder) / f"{n}.txt"
            path.write_text(text, "utf-8")
            for secret in scan_file(str(path)):
                at = text.find(secret.secret_value or "\0")
                if at >= 0:
                    spans[n].append((at, at + len(secret.secret_value or "")))
    return spans


def recall(find: Callable[[list[str]], list[list[tuple[int, int]]]], made: list[tuple[str, str]]) -> float:
    found = 0
    for (text, key), spans in zip(made, find([t for t, _ in made]), strict=True):
        at = text.index(key)
        covered = {c for a, b in spans for c in range(max(a, at), min(b, at + len(key)))}
        found += 2 * len(covered) >= len(key)
    return found / len(made)


def race(data: Path, quick: bool) -> dict[str, object]:
    """Speed, recall and alarms of both."""
    texts = ordinary(data)
    named = list(texts)
    plain = [t for _, t in named]
    for _ in secrets([record(0, "warm up")]):
        pass
    blocks = [plain[n : n + 512] for n in range(0, len(plain), 512)]
    draw = random.Random(7)
    draw.shuffle(blocks)
    few = blocks[: 2 if quick else 6]
    mine = theirs = 0.0
    size = sum(len(t.encode("utf-8", "replace")) for b in few for t in b)
    for block in few:  # in one file, because detect-secrets pays much for each
        joined = "\n".join(block)
        made = [record(n, joined[n : n + 512]) for n in range(0, len(joined), 512)]
        begun = time.process_time()
        for _ in range(10):
            for _seen in secrets(made):
                pass
        mine += (time.process_time() - begun) / 10
        begun = time.process_time()
        peer([joined])
        theirs += time.process_time() - begun
    whole = [record(n, t) for n, t in enumerate(plain)]
    begun = time.process_time()
    alarms = {f.record for f in secrets(whole)}
    spent = time.process_time() - begun
    by_corpus: dict[str, list[int]] = {}
    for n, (name, _) in enumerate(named):
        by_corpus.setdefault(name, [0, 0])
        by_corpus[name][0] += str(n) in alarms
        by_corpus[name][1] += 1
    planted = list(keys(3, 9 if quick else 45))
    sample = draw.sample(range(len(plain)), 1000 if quick else 4000)
    flagged = sum(bool(s) for s in peer([plain[n] for n in sample]))
    everything = sum(len(t.encode("utf-8", "replace")) for t in plain)
    return {
        "what": "secrets",
        "ours": round(size / mine / 1e6, 1),
        "peer": round(size / theirs / 1e6, 3),
        "ratio": round(theirs / mine, 1),
        "unit": "MB per CPU-second, rows of 512 characters",
        "ours_as_they_are": round(everything / spent / 1e6, 1),
        "recall": round(recall(ours, planted), 4),
        "recall_peer": round(recall(peer, planted), 4),
        "keys": len(planted),
        "alarms_per_1000": round(1000 * len(alarms) / len(plain), 3),
        "alarms_per_1000_peer": round(1000 * flagged / len(sample), 3),
        "records": len(plain),
        "alarms_by_corpus": {k: f"{a}/{n}" for k, (a, n) in by_corpus.items() if a},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the development corpora")
    parser.add_argument("--quick", action="store_true", help="fewer texts and keys")
    told = parser.parse_args()
    print(json.dumps(race(told.data, told.quick)))
