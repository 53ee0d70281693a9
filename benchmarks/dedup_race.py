"""Near-duplicates: the check `duplicates` beside datasketch and rensa, in one run, on the same texts.

    python benchmarks/dedup_race.py --data FOLDER [--quick] [--million]

Real texts are taken from every .jsonl, .json, .csv and .tsv below FOLDER. Half of them get a planted
variant: 2, 5, 10 or 20 % of the words replaced by words of other texts, a sentence left out, case and
punctuation changed, something put before or behind. Contestants take turns; every turn starts from the whole
texts (ours from records, which exist before); the table gives medians, in documents per second of CPU time
and of wall time, on one thread.

The truth is exact Jaccard similarity of at least 0.7 of the sets of runs of five words, counted over an
inverted index by code of its own. Scores are by document: `recall` is the share of documents with an earlier
one that alike which were flagged; `precision` is the share of flagged documents whose named partner is that
alike. datasketch: MinHash of 128 permutations and LSH at 0.7. rensa: RMinHash of 128 and LSH of 16 bands at
0.7; both shingled in Python as their manuals do, candidates accepted at an estimate of 0.7. `rensa, batch` is
its `RMinHashDeduplicator` fed with everything at once.

Short rows (10 to 30 words) are a race of their own against the truth of the check itself: the similarity
that its docstring names, of all pairs, and the share of rows found again after 5 % of their words changed.

The last line is one JSON object. `--million` signs a million records made of the same texts instead and
reports time and peak memory.
"""

import argparse
import csv
import json
import os
import random
import re
import resource
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

from tunewright.checks import _shingles  # noqa: E402
from tunewright.checks.duplicates import duplicates  # noqa: E402
from tunewright.nouns import Finding, Message, Origin, Record  # noqa: E402

THRESHOLD, RUN = 0.7, 5
_SIGNS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(f"[^\\W_{_SIGNS}]+|[{_SIGNS}]")
"""In scripts without spaces between words every sign is one."""
PLAIN = re.compile(r"[^\W_]+")
Answer = dict[int, int]
"""Flagged document -> the earlier one that it repeats."""
Truth = dict[tuple[int, int], float]
"""(later, earlier) -> similarity, of at least the threshold."""


class Scores(NamedTuple):
    """Share of what should be flagged, and share of what was flagged rightly."""

    recall: float
    precision: float


# ── texts ───────────────────────────────────────────────────────────────────────────────────────


def strings(value: object) -> Iterator[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def texts(folder: Path) -> Iterator[str]:
    """Every string in the files below a folder, in the order of their names."""
    csv.field_size_limit(1 << 30)
    for path in sorted(folder.rglob("*")):
        kind = path.suffix.lower()
        if not path.is_file() or kind not in (".jsonl", ".json", ".csv", ".tsv"):
            continue
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            if kind == ".json":
                try:
                    yield from strings(json.load(file))
                except ValueError:
                    continue
            elif kind == ".jsonl":
                for line in file:
                    try:
                        yield from strings(json.loads(line))
                    except ValueError:
                        continue
            else:
                for row in csv.reader(file, delimiter="\t" if kind == ".tsv" else ","):
                    yield from row


def tokens(text: str) -> list[str]:
    return (PLAIN if text.isascii() else WORD).findall(text.lower())


def replaced(text: str, share: float, dice: random.Random, vocabulary: Sequence[str]) -> str:
    """The text with this share of its words (at least one) replaced by other words."""
    at = [m.span() for m in WORD.finditer(text)]
    chosen = sorted(dice.sample(at, max(1, round(share * len(at)))), reverse=True) if at else []
    for start, end in chosen:
        text = text[:start] + dice.choice(vocabulary) + text[end:]
    return text


def shortened(text: str, dice: random.Random) -> str:
    """The text without one of its sentences."""
    parts = re.split(r"(?<=[.!?])\s+", text)
    if len(parts) > 1:
        parts.pop(dice.randrange(len(parts)))
    return " ".join(parts)


PLANTS = ("2 %", "5 %", "10 %", "20 %", "sentence", "case", "before", "behind")


def planted(text: str, plant: str, dice: random.Random, vocabulary: Sequence[str]) -> str:
    """A variant of a text."""
    if plant.endswith("%"):
        return replaced(text, int(plant[:-2]) / 100, dice, vocabulary)
    if plant == "sentence":
        return shortened(text, dice)
    if plant == "case":
        return re.sub(r"[^\w\s]", " ", text).upper()
    return f"Please read this first: {text}" if plant == "before" else f"{text} Thank you in advance."


def corpus(pool: Sequence[str], count: int, dice: random.Random) -> tuple[list[str], list[str]]:
    """Texts and variants of half as many, shuffled; for each, how it was made ("" when it is as it came)."""
    base = list(pool)
    dice.shuffle(base)
    base = base[: count * 2 // 3]
    vocabulary = [word for text in base[:2000] for word in WORD.findall(text)]
    rows = [(text, "") for text in base]
    for number, text in enumerate(dice.sample(base, len(base) // 2)):
        plant = PLANTS[number % len(PLANTS)]
        rows.append((planted(text, plant, dice, vocabulary), plant))
    dice.shuffle(rows)
    return [text for text, _ in rows], [plant for _, plant in rows]


# ── the truth ───────────────────────────────────────────────────────────────────────────────────


def runs(text: str) -> set[str]:
    words = tokens(text)
    return {" ".join(words[at : at + RUN]) for at in range(max(len(words) - RUN + 1, 1))}


def truth(documents: Sequence[str]) -> Truth:
    """All pairs that are alike, by counting what they share."""
    sets = [runs(text) for text in documents]
    holders = defaultdict[str, list[int]](list)
    found = Truth()
    for number, one in enumerate(sets):
        common = Counter[int]()
        for run in one:
            common.update(holders[run])
            holders[run].append(number)
        for other, shared in common.items():
            similarity = shared / (len(one) + len(sets[other]) - shared)
            if similarity >= THRESHOLD:
                found[number, other] = similarity
    return found


def own_truth(documents: Sequence[str]) -> Truth:
    """The same by the similarity of short texts that the check states, over an inverted index of its own."""

    def parts(text: str) -> tuple[set[str], set[str]]:
        words = tokens(text)
        bare = " ".join(words)
        return {bare[at : at + 3] for at in range(max(len(bare) - 2, 1))}, set(words)

    sets = [parts(text) for text in documents]
    holders, named = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    found = Truth()
    for number, (threes, words) in enumerate(sets):
        common, both = Counter[int](), Counter[int]()
        for three in threes:
            common.update(holders[three])
            holders[three].append(number)
        for word in words:
            both.update(named[word])
            named[word].append(number)
        for other, shared in common.items():
            letters = len(threes) + len(sets[other][0]) - shared
            every = len(words) + len(sets[other][1]) - both[other]
            weight = _shingles.WEIGHT if min(len(words), len(sets[other][1])) >= _shingles.SEVERAL else 0
            similarity = max(shared / letters, (shared + weight * both[other]) / (letters + weight * every))
            if similarity >= THRESHOLD:
                found[number, other] = similarity
    return found


def scores(answer: Answer, gold: Truth) -> Scores:
    """Recall over documents that repeat an earlier one, precision over named pairs."""
    wanted = {later for later, _ in gold}
    recall = len(wanted & answer.keys()) / max(len(wanted), 1)
    right = sum((later, earlier) in gold for later, earlier in answer.items())
    return Scores(recall, right / max(len(answer), 1))


# ── contestants ─────────────────────────────────────────────────────────────────────────────────


def records(documents: Sequence[str]) -> list[Record]:
    origin = Origin(source="race", file="race", line=1)
    return [
        Record(id=str(number), messages=(Message(role="user", content=text),), origin=origin)
        for number, text in enumerate(documents)
    ]


RECORDS = list[Record]()
"""What the check is given: the same documents as everybody, as the product holds them."""


def ours(documents: Sequence[str]) -> Answer:
    """The check, from records to findings."""
    named = re.compile(r"record (\d+)")
    found = Answer()
    for seen in duplicates(RECORDS):
        if isinstance(seen, Finding) and (match := named.search(seen.note)):
            found[int(seen.record)] = int(match[1])
    return found


def by_datasketch(documents: Sequence[str]) -> Answer:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    made, found = list[MinHash](), Answer()
    for number, text in enumerate(documents):
        one = MinHash(num_perm=128)
        one.update_batch([run.encode("utf-8", "replace") for run in runs(text)])
        for other in index.query(one):
            if one.jaccard(made[int(other)]) >= THRESHOLD:
                found[number] = int(other)
                break
        index.insert(str(number), one)
        made.append(one)
    return found


def by_rensa(documents: Sequence[str]) -> Answer:
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=THRESHOLD, num_perm=128, num_bands=16)
    made, found = list[RMinHash](), Answer()
    for number, text in enumerate(documents):
        one = RMinHash(num_perm=128, seed=42)
        one.update(list(runs(text)))
        for other in index.query(one):
            if one.jaccard(made[other]) >= THRESHOLD:
                found[number] = other
                break
        index.insert(number, one)
        made.append(one)
    return found


def by_rensa_batch(documents: Sequence[str]) -> Answer:
    """Its own deduplicator; it says which are repeats, not of what."""
    from rensa import RMinHashDeduplicator

    index = RMinHashDeduplicator(threshold=THRESHOLD, num_perm=128, use_lsh=True)
    fresh = index.add_pairs((str(number), list(runs(text))) for number, text in enumerate(documents))
    return {number: -1 for number, new in enumerate(fresh) if not new}


CONTESTANTS: dict[str, Callable[[Sequence[str]], Answer]] = {
    "ours": ours,
    "datasketch": by_datasketch,
    "rensa": by_rensa,
    "rensa, batch": by_rensa_batch,
}


def race(documents: Sequence[str], repeats: int) -> tuple[dict[str, Answer], dict[str, tuple[float, float]]]:
    """What everybody answered, and median documents a second by CPU time and by the clock."""
    RECORDS[:] = records(documents)
    answers, times = dict[str, Answer](), defaultdict[str, list[tuple[float, float]]](list)
    for _ in range(repeats):
        for name, contestant in CONTESTANTS.items():
            cpu, clock = time.process_time(), time.perf_counter()
            try:
                answers[name] = contestant(documents)
            except ModuleNotFoundError:
                continue
            times[name].append((time.process_time() - cpu, time.perf_counter() - clock))
    speeds = {
        name: (
            len(documents) / statistics.median(cpu for cpu, _ in taken),
            len(documents) / statistics.median(clock for _, clock in taken),
        )
        for name, taken in times.items()
    }
    return answers, speeds


# ── the report ──────────────────────────────────────────────────────────────────────────────────


def table(
    title: str, answers: dict[str, Answer], speeds: dict[str, tuple[float, float]], gold: Truth
) -> None:
    print(f"\n{title}\n{'':14}{'docs/CPU-s':>12}{'docs/s':>10}{'recall':>9}{'precision':>11}{'flagged':>9}")
    for name, answer in answers.items():
        got, (cpu, clock) = scores(answer, gold), speeds[name]
        sure = "" if name == "rensa, batch" else f"{got.precision:.4f}"
        print(f"{name:14}{cpu:12,.0f}{clock:10,.0f}{got.recall:9.4f}{sure:>11}{len(answer):9,}")


def by_plant(answer: Answer, made: Sequence[str], gold: Truth) -> dict[str, tuple[int, float]]:
    """Per way of planting: how many of them repeat an earlier text, and the share of these found."""
    wanted = {later for later, _ in gold}
    found = dict[str, tuple[int, float]]()
    for plant in PLANTS:
        some = [number for number in wanted if made[number] == plant]
        if some:
            found[plant] = (len(some), sum(number in answer for number in some) / len(some))
    return found


def short_rows(pool: Sequence[str], count: int, dice: random.Random) -> tuple[list[str], list[int]]:
    """Rows, then a third of them with 5 % of their words replaced; the numbers of the latter."""
    base = list(pool)
    dice.shuffle(base)
    base = base[:count]
    vocabulary = [word for text in base for word in WORD.findall(text)]
    again = [replaced(text, 0.05, dice, vocabulary) for text in base[: count // 3]]
    return [*base, *again], list(range(len(base), len(base) + len(again)))


def million(pool: Sequence[str], count: int, dice: random.Random) -> None:
    """A million records of about one text's length, a twentieth of them variants; memory and time."""

    class Made:
        """Records that are made when they are read: nothing of them is held."""

        def __len__(self) -> int:
            return count

        def __contains__(self, record: object) -> bool:
            return False

        def __iter__(self) -> Iterator[Record]:
            own = random.Random(7)
            origin = Origin(source="race", file="race", line=1)
            last = ""
            for number in range(count):
                if number % 20 == 19:
                    text = replaced(last, 0.02, own, ("another", "word"))
                else:
                    words = own.choice(split)
                    text = last = " ".join(own.choices(words, k=max(len(words), 20)))
                yield Record(id=str(number), messages=(Message(role="user", content=text),), origin=origin)

    split = [WORD.findall(text) for text in dice.sample(list(pool), min(len(pool), 4000))]
    length = statistics.mean(sum(len(w) + 1 for w in words) for words in split)
    made = Made()
    cpu, clock = time.process_time(), time.perf_counter()
    for _ in made:
        pass
    making = time.process_time() - cpu
    cpu, clock = time.process_time(), time.perf_counter()
    kinds = Counter(seen.what for seen in duplicates(made) if isinstance(seen, Finding))
    spent, lasted = time.process_time() - cpu, time.perf_counter() - clock
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{count:,} records of about {length:.0f} characters: {spent:.0f} s of CPU time, {lasted:.0f} s")
    print(f"by the clock, {making:.0f} s of it to make them; peak memory {peak:.2f} GiB; found {dict(kinds)}")
    planted_rows = count // 20
    print(
        json.dumps(
            {
                **{"benchmark": "dedup_million", "records": count, "characters": round(length)},
                **{"cpu_seconds": round(spent, 1), "seconds": round(lasted, 1), "making": round(making, 1)},
                **{"peak_gib": round(peak, 3), "planted": planted_rows, "found": dict(kinds)},
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--count", type=int, default=0, help="documents of the race, or records of --million")
    options = parser.parse_args()
    dice = random.Random(20_261_123)
    every = list(dict.fromkeys(texts(options.data)))
    lengths = {text: len(tokens(text[:20_000])) for text in every}
    long = [text for text in every if lengths[text] >= 64 and len(text) <= 3000]
    short = [text for text in every if 10 <= lengths[text] <= 30]
    if len(long) < 100 or len(short) < 100:
        sys.exit(f"{options.data}: too few texts")
    if options.million:
        million(long, options.count or 1_000_000, dice)
        return
    count, rows = (3_000, 900) if options.quick else (18_000, 4_500)
    documents, made = corpus(long, options.count or count, dice)
    size = statistics.mean(map(len, documents))
    answers, speeds = race(documents, 3)
    gold = truth(documents)
    table(f"{len(documents):,} documents of {size:.0f} characters", answers, speeds, gold)
    plants = by_plant(answers["ours"], made, gold)
    print("ours, by plant: " + ", ".join(f"{name} {share:.3f} of {n}" for name, (n, share) in plants.items()))
    some, again = short_rows(short, rows, dice)
    short_answers, short_speeds = race(some, 1)
    own = own_truth(some)
    table(f"{len(some):,} short rows, by the similarity of the check", short_answers, short_speeds, own)
    changed = {name: sum(n in a for n in again) / len(again) for name, a in short_answers.items()}
    print("5 % of the words changed, found again: " + ", ".join(f"{n} {s:.3f}" for n, s in changed.items()))
    got, got_short = scores(answers["ours"], gold), scores(short_answers["ours"], own)
    peers = {name: round(cpu) for name, (cpu, _) in speeds.items() if name != "ours"}
    print(
        json.dumps(
            {
                **{"benchmark": "dedup_race", "documents": len(documents), "characters": round(size)},
                **{"unit": "documents per CPU-second", "ours": round(speeds["ours"][0]), "peer": peers},
                "ratio": {name: round(speeds["ours"][0] / cpu, 2) for name, cpu in peers.items()},
                **{"recall": round(got.recall, 5), "precision": round(got.precision, 5)},
                "short": {
                    **{"rows": len(some), "recall": round(got_short.recall, 5)},
                    **{
                        "precision": round(got_short.precision, 5),
                        "changed_5_percent": round(changed["ours"], 4),
                    },
                },
                "peers": {
                    name: {"recall": round(scores(a, gold).recall, 4), "flagged": len(a)}
                    for name, a in answers.items()
                    if name != "ours"
                },
            }
        )
    )


if __name__ == "__main__":
    main()
