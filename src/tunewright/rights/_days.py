"""Last days on which records may be used."""

import re
from calendar import monthrange
from datetime import date

DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
ENDLESS = frozenset({"never ends", "never", "none", "no end", "unlimited"})
"""Ways to say on purpose that there is no last day."""


def last_day(until: str) -> date | None:
    """The last day that `until` covers; None when it is empty or says that there is none.

    Takes YYYY-MM-DD, YYYY-MM (the end of that month), YYYY (the end of that year), and a date with a
    time after it. Errors: `ValueError` when it is none of these.
    """
    said = until.strip()
    if not said or said.lower() in ENDLESS:
        return None
    day = re.split(r"[T ]", said, maxsplit=1)[0] if len(said) > 10 and said[10] in "T " else said
    match = DAY.fullmatch(day)
    if not match:
        raise ValueError("a date is written YYYY-MM-DD, YYYY-MM or YYYY")
    year = int(match[1])
    month = int(match[2] or 12)
    if not 1 <= month <= 12 or year < 1:
        raise ValueError("there is no such month")
    return date(year, month, int(match[3]) if match[3] else monthrange(year, month)[1])


def expired(until: str, today: date) -> bool:
    """Whether the last day lies before today. The last day itself is still in time.

    Errors: `ValueError` when `until` is no date.
    """
    last = last_day(until)
    return last is not None and last < today
