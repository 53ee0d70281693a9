"""The command line: one command per verb, made from the verb's signature.

Words for a person go to stdout, progress and errors to stderr. With `--json` stdout holds exactly one
JSON object, whether the command succeeded or not: on failure it has a field `error` with title, detail,
hint and exit code. Exit codes are those of `errors.py`; 130 means that you stopped it.
"""

import os
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code."""
    from cyclopts import CycloptsError

    from tunewright.cli.app import app, told_wrong

    words = list(sys.argv[1:] if argv is None else argv)
    try:
        app(words, exit_on_error=False, print_error=False)
        sys.stdout.flush()
        return 0
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except BrokenPipeError:  # whoever read our output has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except CycloptsError as error:
        return _fail(words, told_wrong(error))
    except BaseException as error:
        return _fail(words, error)


def _fail(words: Sequence[str], error: BaseException) -> int:
    from tunewright.cli.answer import Answer

    return Answer("--json" in words).fail(error)
