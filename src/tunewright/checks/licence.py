"""Records nobody gave a right to use."""

from collections.abc import Iterable, Iterator

from tunewright.nouns import Finding, Record

UNKNOWN = frozenset(
    {
        "",
        "noassertion",
        "none",
        "unknown",
        "unspecified",
        "n/a",
        "na",
        "null",
        "other",
        "tbd",
        "?",
        "-",
        "todo",
    }
)
"""Ways to write that a licence is not known, in lower case; the first two words are those of SPDX 2.3."""


def licence(records: Iterable[Record]) -> Iterator[Finding]:
    """Records without a licence: nothing says that they may be used for training.

    Looks for an empty licence and for the words that stand for one: `NOASSERTION`, `NONE`, `unknown`
    and the like. Source: the SPDX specification 2.3, clause 7.13, for the meaning of NOASSERTION and NONE.

    Limits: believes what a source says of itself; whether that licence is the true one, or permits this
    use, is not looked at here.
    """
    for record in records:
        if record.licence.strip().lower() in UNKNOWN:
            yield Finding(
                check="licence",
                what="none",
                record=record.id,
                severity="high",
                note="no licence is given for this record or its source",
            )
