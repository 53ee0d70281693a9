"""Tables as text: CSV and TSV with a header."""

from collections import Counter, deque
from collections.abc import Iterator
from csv import Error, field_size_limit, reader
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject
from tunewright.sources._formats import SHAPES, recognise, reject, to_record
from tunewright.sources._text import MAX_BYTES, Line, lines, nothing

_DELIMITERS = ",;\t|"


def csv(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    max_bytes: int = MAX_BYTES,
    delimiter: str = "",
) -> Iterator[Record | Reject]:
    """A table with a header: CSV, or TSV when tabs divide the columns.

    Quoted fields may hold delimiters and line ends (RFC 4180); the line of a row is the one it starts
    on. Columns have the same names as the fields of JSON lines; a `messages` cell holds JSON. Without
    `delimiter`, the one of `, ; tab |` is taken that makes the header make sense.

    Limits: the header is required. After a quote that never closes, reading resumes on the next line,
    so one such row may show as several rejects.
    """
    if len(delimiter) > 1 or delimiter in ('"', "\n", "\r"):
        raise BadInput(f"{path}: the delimiter must be one character", hint="for example delimiter: ';'")
    # The standard library's limit is one number per process; we only ever raise it.
    field_size_limit(max(field_size_limit(), max_bytes + 1))
    rows = _Rows(lines(path, max_bytes), max_bytes)
    header, rows.delimiter = _header(path, rows, delimiter)
    seen = False
    for number, cells, raw, broken in rows:
        seen = True
        if not broken and len(cells) != len(header):
            broken = f"has {len(cells)} fields where the header has {len(header)}"
        if broken:
            yield reject(source, file, number, broken, raw)
            continue
        row = {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}
        yield to_record(
            row,
            source=source,
            licence=licence,
            file=file,
            line=number,
            raw=raw,
            max_bytes=max_bytes,
            counts=counts,
        )
    if not seen:
        raise nothing(path)


class _Rows:
    """Rows of cells. A row that cannot be parsed gives up its first line only, so nothing is swallowed."""

    def __init__(self, source: Iterator[Line], max_bytes: int) -> None:
        self.source = source
        self.again: deque[Line] = deque()
        self.max_bytes = max_bytes
        self.delimiter = ","

    def line(self) -> Line | None:
        return self.again.popleft() if self.again else next(self.source, None)

    def __iter__(self) -> Iterator[tuple[int, list[str], str, str]]:
        while True:
            after = bool(self.again)
            if not (line := self.line()):
                return
            if line.blank:
                continue
            if line.broken:
                yield line.number, [], line.text, line.broken
                continue
            used = [line]
            try:
                cells = next(reader(self._feed(used), delimiter=self.delimiter, strict=True))
            except Error as error:
                self.again.extendleft(reversed(used[1:]))
                yield line.number, [], line.text, _plain(str(error))
                continue
            raw = "\n".join(one.text for one in used)
            stray = after and raw.count('"') % 2  # it may be the rest of the broken row before
            yield line.number, cells, raw, "follows an open quote and has a stray one itself" if stray else ""

    def _feed(self, used: list[Line]) -> Iterator[str]:
        """Lines of one row, for as long as its quotes stay open. Stops early where it must be broken."""
        size = len(used[0].text)
        yield used[0].text + used[0].end
        while line := self.line():
            used.append(line)
            size += len(line.text)
            if line.broken or size > self.max_bytes:
                return
            yield line.text + line.end


def _plain(error: str) -> str:
    if "unexpected end" in error:
        return "a quote is opened and never closed"
    if "expected after" in error:
        return "text follows a closing quote"
    if "field larger" in error:
        return "a field is too long"
    if "new-line" in error:
        return "a carriage return stands outside quotes"
    return "the row cannot be taken apart"


def _header(path: Path, rows: _Rows, delimiter: str) -> tuple[list[str], str]:
    first = rows.line()
    while first and first.blank:
        first = rows.line()
    if first is None:
        raise nothing(path)
    if first.broken:
        raise BadInput(
            f"{path}:{first.number}: the header is {first.broken}", hint="save the table as CSV (UTF-8)"
        )
    for sign in delimiter or _DELIMITERS:
        try:
            cells = next(reader([first.text], delimiter=sign, strict=True), [])
        except Error:
            continue
        names = [cell.strip().lower() for cell in cells]
        if recognise(dict.fromkeys(names, "")):
            double = sorted(name for name, count in Counter(names).items() if count > 1)
            if double:
                raise BadInput(f"{path}: the header names a column twice", hint=f"rename one {double[0]!r}")
            return names, sign
    raise BadInput(f"{path}: the first line names no columns that are known", hint=f"known columns: {SHAPES}")
