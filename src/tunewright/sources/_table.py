"""Rows of a table written as text."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from csv import Error, field_size_limit, reader
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.sources._rows import Raw
from tunewright.sources._shapes import SHAPES, recognise
from tunewright.sources._text import Line, lines, nothing

DELIMITERS = ",;\t|"
Wanted = Callable[[list[str]], bool]


def known(names: list[str]) -> bool:
    """Whether a header names the columns of a known shape."""
    return recognise(dict.fromkeys([name.lower() for name in names], "")) is not None


def table_rows(
    path: Path, max_bytes: int, delimiter: str = "", wanted: Wanted = known, small: bool = True
) -> Iterator[Raw]:
    """Each row below the header as its columns by name; empty cells are left out.

    `wanted` says of a header whether it makes sense: by it the delimiter is found. `small` puts names of
    columns in small letters. Errors: `BadInput` when no delimiter makes sense of the header.
    """
    if len(delimiter) > 1 or delimiter in ('"', "\n", "\r"):
        raise BadInput(f"{path}: the delimiter must be one character", hint="for example delimiter: ';'")
    # The standard library's limit is one number per process; we only ever raise it.
    field_size_limit(max(field_size_limit(), max_bytes + 1))
    rows = _Rows(lines(path, max_bytes), max_bytes)
    header, rows.delimiter = _header(path, rows, delimiter, wanted)
    rows.width = len(header)
    if small:
        header = [name.lower() for name in header]
    for number, cells, raw, broken in rows:
        if not broken and len(cells) != len(header):
            broken = f"has {len(cells)} fields where the header has {len(header)}"
        row = None if broken else {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}
        yield Raw(number, row, raw, broken)


class _Rows:
    """Rows of cells. A row that cannot be parsed gives up its first line only, so nothing is swallowed."""

    def __init__(self, source: Iterator[Line], max_bytes: int) -> None:
        self.source = source
        self.again: deque[Line] = deque()
        self.max_bytes = max_bytes
        self.delimiter = ","
        self.width = 0

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
            if (literal := self.literal(line.text)) is not None:
                yield line.number, literal, line.text, ""
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

    def literal(self, text: str) -> list[str] | None:
        """Cells of a line of a TSV whose quotes are part of the text: TSV itself knows no quoting."""
        if self.delimiter != "\t" or '"' not in text:
            return None
        cells = text.split("\t")
        if len(cells) != self.width:
            return None
        quoted = [cell for cell in cells if cell.startswith('"')]
        closed = all(len(cell) > 1 and cell.endswith('"') for cell in quoted)
        return None if closed and all(cell[1:-1].count('"') % 2 == 0 for cell in quoted) else cells

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


def _header(path: Path, rows: _Rows, delimiter: str, wanted: Wanted) -> tuple[list[str], str]:
    first = rows.line()
    while first and first.blank:
        first = rows.line()
    if first is None:
        raise nothing(path)
    if first.broken:
        raise BadInput(
            f"{path}:{first.number}: the header is {first.broken}", hint="save the table as CSV (UTF-8)"
        )
    for sign in delimiter or DELIMITERS:
        names = split(first.text, sign)
        if names and wanted(names):
            double = sorted(name for name, count in Counter(n.lower() for n in names).items() if count > 1)
            if double:
                raise BadInput(f"{path}: the header names a column twice", hint=f"rename one {double[0]!r}")
            return names, sign
    raise BadInput(
        f"{path}: the first line names no columns that are known",
        hint=f"known columns: {SHAPES}; others are named under `fields`",
    )


def split(header: str, sign: str) -> list[str]:
    """Names in a header, or none if it cannot be taken apart."""
    try:
        return [cell.strip() for cell in next(reader([header], delimiter=sign, strict=True), [])]
    except Error:
        return []
