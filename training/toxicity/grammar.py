"""A grammar of hateful and harmless sentences about the same people; the frames are in `frames.txt`.

A frame is a sentence with slots in braces; `{hateful}` is filled with a whole hateful clause, so that
reported and condemned hate has the same words as the hate itself. Warning: what it makes is offensive.
"""

import random
import re
from pathlib import Path

from tunewright.checks._toxicity_words import lexicon

_SLOT = re.compile(r"\{(\w+)\}")


def sentences(seed: int, each: int) -> tuple[list[str], list[int]]:
    """`each` sentences of every frame, and whether they are hateful."""
    draw = random.Random(seed)
    filled, labels = [], []
    fill = _Filler(draw)
    before_them = _frames("BEFORE THEM")
    before, after = _frames("BEFORE"), _frames("AFTER")
    for frames, label in (("HATEFUL", 1), ("HARMLESS", 0)):
        for frame in _frames(frames):
            for _ in range(each):
                if frame.startswith("{G} ") and draw.random() < 0.3:
                    text = fill(draw.choice(before_them) + frame.removeprefix("{G}"))
                else:
                    text = fill(frame)
                if label and draw.random() < 0.25:
                    text = f"{draw.choice(before)} {text}"
                if draw.random() < 0.35 and not text.endswith("?"):
                    text += draw.choice(after) if label else draw.choice(["!", ".", "..."])
                if not label and draw.random() < 0.15:
                    text = f"{draw.choice(['i think', 'in my opinion', 'as we all know'])} {text}"
                filled.append(text)
                labels.append(label)
    return filled, labels


def _frames(section: str) -> list[str]:
    text = (Path(__file__).parent / "frames.txt").read_text("utf-8")
    return text.partition(f"[{section}]\n")[2].partition("\n[")[0].strip().split("\n")


class _Filler:
    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        members = {tag: sorted(words) for tag, words in lexicon().members.items()}
        plural = [w for w in members["GROUP"] if w.endswith("s") or w in ("women", "girls")]
        people = ["people", "men", "women", "folks", "guys", "kids", "persons", "children"]
        adjectives = members["IDENTITY"]
        self._groups = lambda: (
            draw.choice(plural) if draw.random() < 0.5 else f"{draw.choice(adjectives)} {draw.choice(people)}"
        )
        single = [w for w in members["GROUP"] if not w.endswith("s")]
        self._one = lambda: (
            draw.choice(single)
            if draw.random() < 0.4
            else f"{draw.choice(adjectives)} {draw.choice(['person', 'man', 'woman', 'guy', 'kid'])}"
        )
        self._slots = {
            "S": [w for w in members["SLUR"] if w.endswith("s")],
            "S1": [w for w in members["SLUR"] if not w.endswith("s")],
            "F": [w for w in members["SOFT"] if w.endswith("s")],
            "F1": [w for w in members["SOFT"] if not w.endswith("s")],
            "KILLED": [w for w in members["KILL"] if w.endswith(("ed", "shot", "hung", "en", "out"))],
            "EXPELLED": [
                w for w in members["EXPEL"] if w.endswith(("ed", "out", "up", "of", "down", "away"))
            ],
        }
        for tag in (
            "HATE",
            "SICKEN",
            "BAD",
            "VERMIN",
            "CRIME",
            "KILL",
            "DIE",
            "EXPEL",
            "RIGHTS",
            "WARM",
            "CONDEMN",
        ):
            self._slots[tag] = members[tag]
        self._slots["W"] = [
            f"{a}{b}" for a in ("zil", "vor", "kup", "mel") for b in ("fa", "bren", "dox", "tim")
        ]
        self._hateful = [f for f in _frames("HATEFUL") if f.count("?") == 0]

    def __call__(self, frame: str) -> str:
        return _SLOT.sub(lambda match: self._fill(match[1]), frame)

    def _fill(self, slot: str) -> str:
        if slot == "G":
            return self._groups()
        if slot == "G1":
            return self._one()
        if slot == "hateful":
            return self(self._draw.choice(self._hateful))
        return self._draw.choice(self._slots[slot])
