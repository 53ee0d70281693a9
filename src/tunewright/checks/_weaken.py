"""From a Python pattern to what it needs: a weaker pattern over UTF-8 bytes, and literals.

Works on the parse tree of `re` (`re._parser`, Python 3.11 and later). What it does not know it drops, which
makes the result weaker and never wrong.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from typing import NamedTuple

_Tree = Iterable[tuple[object, object]]
_ANY = r"[\x00-\xff]"
_MOST = 16  # a least number of repeats above this is cut to it: the automaton stays small
_WIDE = 24  # a greatest number above this becomes "any number"
FOLDED = {"\u0130": "i", "\u0131": "i", "\u017f": "s", "\u212a": "k"}
"""What (?i) takes for i, s and k besides the two cases. Texts are read with these replaced, so whatever lets
one of them pass must let the plain letter pass."""
_PLAIN = frozenset(map(ord, "isk"))


class _Class(NamedTuple):
    """One character: which of the ASCII ones, and whether others pass."""

    ascii: frozenset[int]
    other: bool


_ALL = frozenset(range(128))
_BASE = {
    "digit": frozenset(range(48, 58)),
    "space": frozenset(map(ord, " \t\n\r\f\v\x1c\x1d\x1e\x1f")),
    "word": frozenset(n for n in range(128) if chr(n).isalnum() or n == 95),
}


def _tree(pattern: re.Pattern[str]) -> _Tree:
    parsed: _Tree = import_module("re._parser").parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    return parsed


def weaker(pattern: re.Pattern[str]) -> str:
    """A pattern over bytes (for Hyperscan) that matches wherever this one does; empty when there is none.

    Its match ends within the real match's text, so that it tells texts apart that are joined.
    """
    return _sequence(_tree(pattern), pattern.flags, head=True, tail=True)


def _sequence(tree: _Tree, flags: int, *, head: bool = False, tail: bool = False) -> str:
    items = list(tree)
    end = ""
    while (
        tail and items and not end
    ):  # what may be absent at the end is dropped, the last that must be shrinks
        end = _item(items.pop(), flags, head=head and not items, tail=True)
    body = ""
    for item in items:
        body += _item(item, flags, head=head and not body, tail=False)
    return body + end


def _item(item: tuple[object, object], flags: int, *, head: bool, tail: bool) -> str:
    name, value = str(item[0]), item[1]
    one = _class(item, flags)
    if one is not None:
        if name == "LITERAL" and isinstance(value, int) and value > 127 and not flags & re.IGNORECASE:
            sign = FOLDED.get(chr(value), chr(value))
            return "".join(f"\\x{b:02x}" for b in sign.encode("utf-8", "surrogatepass"))
        return _write(one, 1, 1)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return _repeat(value, flags, edge=head or tail)
    if name == "SUBPATTERN" and isinstance(value, tuple):
        inner = (flags | value[1]) & ~value[2]
        text = _sequence(value[3], inner, head=head, tail=tail)
        return f"(?:{text})" if text else ""
    if name == "BRANCH" and isinstance(value, tuple):
        texts = [_sequence(branch, flags, head=head, tail=tail) for branch in value[1]]
        if head or tail:
            return f"(?:{'|'.join(dict.fromkeys(texts))})" if all(texts) else ""
        some = list(dict.fromkeys(t for t in texts if t))
        return f"(?:{'|'.join(some)}){'' if all(texts) else '?'}" if some else ""
    if name == "ATOMIC_GROUP":
        text = _sequence(_trees(value), flags, head=head, tail=tail)
        return f"(?:{text})" if text else ""
    if name in ("AT", "ASSERT", "ASSERT_NOT", "FAILURE"):
        return ""
    return "" if head or tail else f"{_ANY}*"  # back-references and what is to come


def _repeat(value: object, flags: int, *, edge: bool) -> str:
    assert isinstance(value, tuple)
    low, high, tree = int(value[0]), int(value[1]), value[2]
    if edge:
        if not low:
            return ""
        high = low
    items = list(tree)
    if len(items) == 1 and (one := _class(items[0], flags)) is not None:
        return _write(one, low, high, edge=edge)
    text = _sequence(tree, flags)
    if not text:
        return ""
    if low > _MOST:
        low, high = _MOST, _MOST if edge else 1 << 30
    return f"(?:{text}){_times(low, high)}"


def _times(low: int, high: int) -> str:
    if high > _WIDE:
        return "*" if low == 0 else "+" if low == 1 else f"{{{low},}}"
    return "" if low == high == 1 else f"{{{low}}}" if low == high else f"{{{low},{high}}}"


def _write(one: _Class, low: int, high: int, *, edge: bool = False) -> str:
    """A repeated character, over bytes: one that is not ASCII takes up to four."""
    if low > _MOST:
        low, high = _MOST, _MOST if edge else 1 << 30
    spans, start = [], -2
    codes = sorted(one.ascii)
    if len(codes) == 1 and chr(codes[0]).isalnum():
        return chr(codes[0]) + _times(low, high)
    for n, code in enumerate(codes):
        if start < 0:
            start = code
        if n + 1 == len(codes) or codes[n + 1] != code + 1:
            spans.append(f"\\x{start:02x}" + (f"-\\x{code:02x}" if code > start else ""))
            start = -2
    if one.other:
        spans.append("\\x80-\\xff")
        high = high if edge else min(high * 4, 1 << 30)
    if not spans:
        return ""
    return f"[{''.join(spans)}]{_times(low, high)}"


def _class(item: tuple[object, object], flags: int) -> _Class | None:
    """What one place of a pattern lets pass; None when the item is not one character."""
    name, value = str(item[0]), item[1]
    if name == "ANY":
        return _Class(_ALL if flags & re.DOTALL else _ALL - {10}, True)
    if name == "NOT_LITERAL":
        return _Class(_ALL - _cases(_of(value), flags).ascii | _PLAIN, True)
    if name == "LITERAL":
        return _cases(_of(value), flags)
    if name != "IN" or not isinstance(value, list):
        return None
    ascii, other, negated = frozenset[int](), False, False
    for kind, what in value:
        one = _member(str(kind), what, flags)
        negated |= str(kind) == "NEGATE"
        ascii, other = ascii | one.ascii, other or one.other
    return _Class(_ALL - ascii | _PLAIN, True) if negated else _Class(ascii, other)


def _member(kind: str, what: object, flags: int) -> _Class:
    if kind == "LITERAL":
        return _cases(_of(what), flags)
    if kind == "RANGE" and isinstance(what, tuple):
        low, high = what
        ones = [_cases(code, flags) for code in range(low, min(high, 127) + 1)]
        codes = frozenset[int]().union(*(one.ascii for one in ones))
        if high > 127:
            codes |= frozenset(map(ord, "ksiKSI"))
        return _Class(codes, high > 127 or any(one.other for one in ones))
    if kind == "CATEGORY":
        word = str(what).lower().rpartition("category_")[2]
        if word.startswith("not_"):
            return _Class(_ALL - _BASE.get(word[4:], frozenset()), True)
        return _Class(_BASE.get(word, _ALL), True)
    return _Class(frozenset(), False)


@cache
def _cases(code: int, flags: int) -> _Class:
    if code > 127:
        plain = FOLDED.get(chr(code), "")
        return _Class(frozenset(map(ord, plain + plain.upper())), True)
    if not flags & re.IGNORECASE:
        return _Class(frozenset({code}), False)
    sign = chr(code)
    return _Class(frozenset({ord(sign.lower()), ord(sign.upper())}), False)


def _of(value: object) -> int:
    return value if isinstance(value, int) else 0


def _trees(value: object) -> _Tree:
    return value if isinstance(value, Iterable) else ()


# ── literals ──


def anchors(pattern: re.Pattern[str]) -> frozenset[str]:
    """Lower-case literals of which a text with a match holds at least one; empty when there are none."""
    return _needed(_tree(pattern), pattern.flags) or frozenset()


def _needed(tree: _Tree, flags: int) -> frozenset[str] | None:
    best: frozenset[str] | None = None
    runs = [""]  # what may have been written without a break so far
    for item in _flat(tree, flags):
        signs = _letters(item[0], item[1])
        if signs:
            runs = [run + sign for run in runs for sign in signs]
            if len(runs) > 24:
                runs = list(signs)
        else:
            runs = [""]
            best = _better(best, _within(item[0], item[1]))
        if all(runs):
            best = _better(best, frozenset(runs))
    return best


def _flat(tree: _Tree, flags: int) -> Iterable[tuple[tuple[object, object], int]]:
    """Items in order with the flags that hold there; groups without choice are opened."""
    for item in tree:
        name, value = str(item[0]), item[1]
        if name == "SUBPATTERN" and isinstance(value, tuple):
            yield from _flat(value[3], (flags | value[1]) & ~value[2])
        elif name in ("AT", "ASSERT", "ASSERT_NOT"):
            continue
        else:
            yield item, flags


def _letters(item: tuple[object, object], flags: int) -> Sequence[str]:
    """The few signs that can stand at one place, in lower case; none when they are many or depend on case."""
    name, value = str(item[0]), item[1]
    if name == "LITERAL" and isinstance(value, int):
        return _sign(value)
    if name == "IN" and isinstance(value, list) and len(value) <= 4:
        signs: dict[str, None] = {}
        for kind, what in value:
            if str(kind) != "LITERAL" or not _sign(what):
                return ()
            signs |= dict.fromkeys(_sign(what))
        return tuple(signs)
    return ()


def _sign(code: int) -> Sequence[str]:
    sign = chr(code)
    if code < 128:
        return (sign.lower(),)
    return (sign,) if sign.lower() == sign == sign.upper() else ()  # Σ has two small letters, ß two large


def _within(item: tuple[object, object], flags: int) -> frozenset[str] | None:
    name, value = str(item[0]), item[1]
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and isinstance(value, tuple):
        return _needed(value[2], flags) if value[0] else None
    if name == "ATOMIC_GROUP":
        return _needed(_trees(value), flags)
    if name == "BRANCH" and isinstance(value, tuple):
        each = [_needed(branch, flags) for branch in value[1]]
        if all(each):
            return frozenset[str]().union(*(e for e in each if e))
    return None


def _better(one: frozenset[str] | None, two: frozenset[str] | None) -> frozenset[str] | None:
    if not one or not two:
        return one or two
    return max(one, two, key=lambda words: (min(min(map(len, words)), 12), -len(words), min(words)))
