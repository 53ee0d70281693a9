"""Everything that can go wrong, in one tree.

    TunewrightError
    ├── NotFound        no such thing in this project           exit 4   http 404
    ├── BadInput        what was given cannot be used           exit 2   http 422
    ├── Missing         an optional dependency is not here      exit 3   http 501
    ├── Refused         a policy said no; the reasons follow    exit 5   http 409
    ├── Denied          no key, or the wrong one                exit 8   http 401
    ├── Exhausted       the disk or the memory is full          exit 7   http 507
    └── Tampered        the evidence does not add up            exit 6   http 500

Each carries a `hint`: what to type or change next. Faces print it; nothing else in the code
base formats an error for a person. Messages name files, lines and fields, never users' words,
because the ledger repeats them.
"""

from errno import EDQUOT, EFBIG, ENOSPC
from typing import ClassVar


class TunewrightError(Exception):
    """Catch this to catch everything of ours."""

    exit: ClassVar[int] = 1
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (type(self), str(self), self.hint)  # it may come from another process


def _again(kind: type[TunewrightError], message: str, hint: str) -> TunewrightError:
    return kind(message, hint=hint)


class NotFound(TunewrightError):
    """No such thing in this project."""

    exit, status = 4, 404


class BadInput(TunewrightError):
    """What was given cannot be used."""

    exit, status = 2, 422


class Missing(TunewrightError):
    """An optional dependency is not installed."""

    exit, status = 3, 501


class Refused(TunewrightError):
    """A policy said no."""

    exit, status = 5, 409


class Denied(TunewrightError):
    """No key, or the wrong one."""

    exit, status = 8, 401


class Exhausted(TunewrightError):
    """The disk or the memory is full."""

    exit, status = 7, 507


class Tampered(TunewrightError):
    """The evidence does not add up."""

    exit, status = 6, 500


def full(error: BaseException) -> bool:
    """Whether this says that the disk or the memory is full."""
    return isinstance(error, MemoryError) or getattr(error, "errno", None) in {ENOSPC, EDQUOT, EFBIG}
