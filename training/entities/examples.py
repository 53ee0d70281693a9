"""Makes the tagger's examples: our own templates filled with drawn names, and silver text with names swapped.

    python training/entities/examples.py --out made.jsonl --lists lists.npz [--silver FILE] [--data DIR]

A template has [choices|of words] and {slots}. With --silver its people, places and organisations are also
exchanged for others; with --data German, French, Spanish and a few other sentences (lingua's test data,
Apache-2.0) are added in which only what is surely no name counts; other words are left out of the loss.
"""

import argparse
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from made import Maker, Span
from pools import MORE, Pools

HERE = Path(__file__).parent
SHARES = {"en": 100_000, "court": 28_000, "de": 22_000, "fr": 18_000, "es": 18_000, "other": 8_000}
BEFORE_NOUNS = frozenset(MORE["before German nouns"])


def made(pools: Pools, share: float) -> Iterator[tuple[str, list[Span]]]:
    """Filled templates, one to five in a text, in the shares of their languages."""
    draw = pools.draw
    for language, count in SHARES.items():
        maker = Maker(pools, language)
        lines = (HERE / "templates" / f"{language}.txt").read_text(encoding="utf-8").splitlines()
        left = int(count * share)
        while left > 0:
            text, spans = "", list[Span]()
            for _ in range(draw.choice((1, 1, 1, 2, 3, 5) if language != "court" else (1, 2, 3, 5, 8))):
                more, marks = maker.fill(draw.choice(lines))
                if text:
                    text += draw.choice((" ", " ", "\n", "\n\n"))
                spans += [(len(text) + low, len(text) + high, kind) for low, high, kind in marks]
                text += more
                left -= 1
            yield text, spans


def swapped(text: str, spans: list[Span], maker: Maker, draw: random.Random) -> tuple[str, list[Span]]:
    """The same text with other names in it; the same name becomes the same other name."""
    chosen: dict[tuple[str, str], str] = {}
    out, found, at = "", list[Span](), 0
    for low, high, kind in spans:
        old = text[low:high]
        key = (old, kind)
        if key not in chosen:
            chosen[key] = old
            if kind == "name" and draw.random() < 0.85:
                words = old.split()
                if len(words) == 1:
                    chosen[key] = maker.value(draw.choice(("first", "first", "last")))[0]
                else:
                    chosen[key] = maker.value("full")[0]
            elif kind == "place" and draw.random() < 0.7 and old[:1].isupper():
                chosen[key] = maker.value("place")[0].removeprefix("the ")
            elif kind == "organisation" and draw.random() < 0.5:
                chosen[key] = maker.value("org")[0]
            elif kind == "nationality" and draw.random() < 0.4 and old.endswith(("an", "sh", "se", "ch")):
                chosen[key] = maker.value("nation")[0]
        new = chosen[key]
        out += text[at:low]
        found.append((len(out), len(out) + len(new), kind))
        out += new
        at = high
    return out + text[at:], found


def trusted(text: str, spans: list[Span], common: frozenset[str]) -> list[Span]:
    """Silver spans; those that look wrong are left out of the loss, people of common words dropped."""
    out = list[Span]()
    for low, high, kind in spans:
        part = text[low:high]
        odd = "\n" in part or not any(sign.isalpha() or sign.isdigit() for sign in part)
        if kind == "name":
            odd = (
                odd or not any(word[:1].isupper() for word in part.split()) or any(s.isdigit() for s in part)
            )
            odd = odd or len(part.split()) > 5 or any(sign in part for sign in "<>{}=/\\:*_#")
        elif kind in ("organisation", "place"):
            odd = odd or any(sign in part for sign in "<>{}=\\*_")
        if kind == "name" and all(word.lower() in common for word in re.findall(r"\w+", part)):
            continue
        if kind == "nationality" and any(sign.isdigit() for sign in part):
            continue
        out.append((low, high, "?" if odd else kind))
    return out


def foreign(data: Path) -> Iterator[tuple[str, list[Span]]]:
    """Unlabelled sentences: small words and plain nouns are outside, the rest is left out of the loss."""
    for language in ("de", "fr", "es", "it", "nl", "pt"):
        path = data / "text/lingua_testdata/sentences" / f"{language}.txt"
        if not path.is_file():
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            spans, before = list[Span](), ""
            for match in re.finditer(r"\w+", line):
                word = match.group()
                sure = word.islower() or (
                    language == "de" and before in BEFORE_NOUNS and word.istitle() and len(word) > 3
                )
                if not sure:
                    spans.append((match.start(), match.end(), "?"))
                before = word
            yield line, spans


def recased(text: str, spans: list[Span], draw: random.Random) -> tuple[str, list[Span]]:
    """Some texts in small letters, in capitals or with every word capitalised."""
    chance = draw.random()
    if chance < 0.10:
        new = text.lower()
    elif chance < 0.12:
        new = text.upper()
    elif chance < 0.135:
        new = re.sub(r"\b[a-z]", lambda match: match.group().upper(), text)
    elif chance < 0.15 and text[-1:] in ".?!":
        new = text[:-1]
        spans = [(low, min(high, len(new)), kind) for low, high, kind in spans]
    else:
        return text, spans
    return (new, spans) if len(new) in (len(text), len(text) - 1) else (text, spans)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lists", type=Path, required=True)
    parser.add_argument("--silver", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args()
    pools = Pools(asked.seed)
    lists = pools.lists()
    np.savez_compressed(asked.lists, list_hashes=lists.hashes, list_bits=lists.bits)
    draw = pools.draw
    texts = [file.read_text(encoding="utf-8") for file in sorted((HERE / "templates").glob("*.txt"))]
    if asked.silver:
        with asked.silver.open(encoding="utf-8") as lines:
            texts += [json.loads(line)["text"] for line in lines]
    pools.learn_common(texts)
    common = frozenset(pools.common)
    with asked.out.open("w", encoding="utf-8") as out:

        def write(text: str, spans: list[Span]) -> None:
            text, spans = recased(text, spans, draw)
            out.write(json.dumps({"text": text, "spans": spans}, ensure_ascii=False) + "\n")

        for text, spans in made(pools, asked.share):
            write(text, spans)
        if asked.silver:
            maker = Maker(pools, "en")
            with asked.silver.open(encoding="utf-8") as lines:
                for line in lines:
                    row = json.loads(line)
                    spans = trusted(row["text"], [(a, b, c) for a, b, c in row["spans"]], common)
                    write(row["text"], spans)
                    if any(kind != "date" for _, _, kind in spans):
                        for _ in range(2):
                            write(*swapped(row["text"], spans, maker, draw))
        if asked.data:
            for text, spans in foreign(asked.data):
                write(text, spans)


if __name__ == "__main__":
    main()
