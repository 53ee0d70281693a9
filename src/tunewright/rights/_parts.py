"""The parts that records fall into by what counts for their rights."""

from collections import Counter
from collections.abc import Iterable, Mapping

from tunewright.nouns import Record, Source
from tunewright.rights._shapes import Data


def part_of(record: Record, sources: Mapping[str, Source]) -> Data:
    """What counts for a record's rights, without its number: the row's own word comes before its source's.

    A row may say `generator` and `upstream` (what it was made from: a dataset or a licence) in its facts.
    """
    name, facts = record.origin.source, record.facts
    source = sources.get(name)
    generator = facts.get("generator") or (source.generator if source else "")
    said = facts.get("upstream", "")
    upstream = (said,) if said else source.upstream if source else ()
    return Data(record.licence, 0, name, generator, "", upstream)


def parts(records: Iterable[Record], sources: Iterable[Source] = ()) -> tuple[Data, ...]:
    """Records grouped for `judge`: one part for each licence, source and generator, with its number."""
    by_name = {source.name: source for source in sources}
    counts = Counter(part_of(record, by_name) for record in records)
    return tuple(part._replace(records=n) for part, n in counts.items())
