"""Train the model of hateful language:   python training/toxicity/train.py --texts FILE ... --out weights.npz

`--texts` are ordinary texts (JSONL with a field `text`, one a line) under a permissive licence: their windows
around a group or a slur are harmless examples, and their words are the list of ordinary words. No network.
"""

import argparse
import json
import random
import re
from collections import Counter
from pathlib import Path

import numpy as np
from grammar import sentences
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from tunewright.checks import _toxicity_words
from tunewright.checks._toxicity import windows
from tunewright.checks._toxicity_signs import SIZE, signs, skeleton
from tunewright.checks._toxicity_words import pieces

_WORD = re.compile(r"[a-zà-ÿ]+")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, nargs="+", required=True)
    parser.add_argument("--words", type=Path, help="a list of English words, one a line")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--strength", type=float, default=0.3)
    chosen = parser.parse_args()
    texts = [text for file in chosen.texts for text in _read(file)]
    words = _ordinary(texts, chosen.words)
    np.savez_compressed(chosen.out, words=_bytes(words), weights=np.zeros(SIZE, np.float16), bias=np.zeros(1))
    _toxicity_words._ordinary.cache_clear()
    _toxicity_words.lexicon.cache_clear()
    made, labels = sentences(chosen.seed, chosen.each)
    rows = [signs([role for role, _, _ in skeleton(list(pieces(text)))]) for text in made]
    real = [list(signs(roles)) for text in texts for roles in windows(text)]
    draw = random.Random(chosen.seed)
    draw.shuffle(real)
    rows, labels = rows + real, labels + [0] * len(real)
    weight = np.array([1.0] * len(made) + [min(1.0, 0.5 * len(made) / max(len(real), 1))] * len(real))
    indptr = np.cumsum([0] + [len(set(row)) for row in rows])
    columns = np.concatenate([np.fromiter(set(row), int) for row in rows])
    grid = csr_matrix((np.ones(len(columns), np.float32), columns, indptr), shape=(len(rows), SIZE))
    truth = np.array(labels)
    model = LogisticRegression(C=chosen.strength, solver="liblinear", max_iter=300, random_state=chosen.seed)
    model.fit(grid, truth, sample_weight=weight)
    said = model.predict(grid)
    print(
        json.dumps(
            {
                "made": len(made),
                "real": len(real),
                "words": len(words),
                "right": float((said == truth).mean()),
            }
        )
    )
    print("false alarms on real windows", float(said[len(made) :].mean()) if real else None)
    np.savez_compressed(
        chosen.out,
        words=_bytes(words),
        weights=model.coef_[0].astype(np.float16),
        bias=model.intercept_.astype(np.float64),
    )
    print(f"{chosen.out.stat().st_size} bytes")


def _read(file: Path) -> list[str]:
    return [str(json.loads(line)["text"]) for line in file.read_text("utf-8").splitlines() if line.strip()]


def _bytes(words: list[str]) -> np.ndarray:
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)


def _ordinary(texts: list[str], listed: Path | None) -> list[str]:
    """Words that at least two texts hold, and those of the list that are written small."""
    counts = Counter(word for text in texts for word in set(_WORD.findall(text.lower())))
    words = {word for word, count in counts.items() if count >= 2 and 1 < len(word) < 20}
    if listed:
        words |= {w.lower() for w in listed.read_text("utf-8").split() if w.isalpha() and 1 < len(w) < 20}
    words -= {w for w in words if len(w) == 2 and w not in _toxicity_words._SHORT}
    return sorted(words | {"a", "i", "youre", "im", "dont", "thats", "theyre", "wont", "cant", "isnt"})


if __name__ == "__main__":
    main()
