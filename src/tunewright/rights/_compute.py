"""Whether tuning makes the one who tunes a provider of a general-purpose AI model, by its compute."""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tunewright import packs

PACK = Path(packs.__file__).with_name("compute.yaml")


class Applicability(NamedTuple):
    """A training's compute beside the EU AI Act's threshold for modifications."""

    flop: float
    """Floating-point operations of the training, 6 x parameters x tokens."""
    base_flop: float
    """Of the base's pre-training; 0 when it is not known."""
    threshold: float
    """A third of the base's, or of 10^23 where that is not known or the base is smaller than that."""
    share: float
    """Of the threshold."""
    basis: str
    """What the threshold rests on."""
    pack: str
    """Date of the facts."""

    @property
    def says(self) -> str:
        """The finding in a sentence. It never says that a law is complied with."""
        side = "below" if self.share < 1 else "above"
        then = "article 53 does not apply by this criterion" if self.share < 1 else "article 53 may apply"
        return (
            f"{side} the threshold for modifications ({self.share:.2g} of {self.threshold:.2g} FLOP): {then}"
        )


def modification(name: str, parameters: int, flop: float) -> Applicability:
    """`name` is any text that names the base, such as its address and revision; `flop` the tuning's compute.

    Follows the Commission's guidelines of 18 July 2025: a modifier becomes a provider above a third of the
    original training's compute, or of 10^23 where that is not known.

    Limits: not legal advice. The tokens of known bases are as their makers published them; both figures are
    estimates that may be off by 30%. Other duties, such as those of article 50, do not depend on compute.
    """
    pack = _pack()
    known = next((b for b in pack["bases"] if all(word in name.lower() for word in b["match"])), None)
    base = 6.0 * parameters * known["tokens"] if known else 0.0
    if known and base > pack["threshold"]:
        threshold = pack["share"] * base
        basis = f"a third of the base's {base:.2g} FLOP ({known['tokens']:.2g} tokens: {known['source']})"
    else:
        threshold = pack["share"] * pack["threshold"]
        told = f"the base took {base:.2g} FLOP ({known['source']})" if known else "the base's is not known"
        basis = f"a third of {pack['threshold']:.0e} FLOP; {told}"
    return Applicability(flop, base, threshold, flop / threshold, basis, pack["looked_at"])


@cache
def _pack() -> dict[str, Any]:
    pack: dict[str, Any] = yaml.load(PACK.read_text(encoding="utf-8"), packs.LOADER)
    return pack
