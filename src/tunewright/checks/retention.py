from collections import Counter
from collections.abc import Iterator
from datetime import date

from tunewright.checks import Whole
from tunewright.nouns import Finding, Source, Tally
from tunewright.rights import last_day

UNDATED = "no date is stated"


def retention(
    records: Whole, *, sources: tuple[Source, ...] = (), today: date | None = None
) -> Iterator[Finding | Tally]:
    """Records whose last day of use has passed.

    The row's own `retain_until` counts before its source's; where both are stated the earlier one does.
    A date is written YYYY-MM-DD, YYYY-MM (to the end of the month) or YYYY; `none` says that there is no end
    on purpose. Finds `expired`, `unreadable` (a date that cannot be read, so nobody knows) and, for the data
    as a whole, `undated`: the sources that state no last day. Counts records by the month in which they
    expire, when `sources` are given.

    Limits: believes the dates that were stated; does not know which period a law or a contract sets, and
    does not look at copies outside this dataset.
    """
    now = today or date.today()
    stated = {source.name: source.retain_until.strip() for source in sources}
    seen = dict[tuple[str, str], tuple[str, dict[str, str]]]()
    months, undated = Counter[str](), Counter[str]()
    for record in records:
        dates = record.facts.get("retain_until", "").strip(), stated.get(record.origin.source, "")
        if dates not in seen:
            seen[dates] = _looked(*dates, now)
        month, found = seen[dates]
        months[month] += 1
        if month == UNDATED:
            undated[record.origin.source] += 1
        if found:
            yield Finding.model_validate({"check": "retention", "record": record.id, **found})
    without = [source.name for source in sources if not source.retain_until.strip() and undated[source.name]]
    if without:
        yield Finding(
            check="retention",
            what="undated",
            record="",
            severity="low",
            note=f"no last day is stated for {_list(without)}",
            evidence=f"{sum(undated[name] for name in without)} records without a date",
        )
    if sources and months:
        counts = dict(sorted(months.items()))
        yield Tally(
            check="retention", name="months", counts=counts, note="records by the month of their last day"
        )


def _looked(own: str, shared: str, now: date) -> tuple[str, dict[str, str]]:
    """The month in which records with these dates expire, and the finding that each of them has."""
    ends, faults = list[tuple[date, str]](), list[tuple[str, str]]()
    for whose, until in (("row", own), ("source", shared)):
        try:
            if last := last_day(until):
                ends.append((last, whose))
        except ValueError as error:
            faults.append((str(error), whose))
    if ends and min(ends)[0] < now:
        last, whose = min(ends)
        note = f"it may be used until {last.isoformat()} at the latest, says its {whose}"
        rests = f"retain_until of the {whose}; {(now - last).days} days ago on {now.isoformat()}"
        return f"{last:%Y-%m}", {"what": "expired", "severity": "high", "note": note, "evidence": rests}
    if faults:
        said, whose = faults[0]
        note = f"its last day cannot be read: {said}"
        rests = f"retain_until of the {whose}"
        return "unreadable", {"what": "unreadable", "severity": "medium", "note": note, "evidence": rests}
    if ends:
        return f"{min(ends)[0]:%Y-%m}", {}
    return ("no end" if own or shared else UNDATED), {}


def _list(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
