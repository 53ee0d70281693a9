"""Tells the story where no file may grow beyond a number of bytes, as on a disk that is full.

    python _full.py FOLDER BYTES

Prints one line of JSON: what came of it.
"""

import json
import resource
import signal
import sys

import tunewright as tw
from tunewright.errors import TunewrightError


def main() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    said = {"error": "", "hint": "", "told": ""}
    try:
        project = tw.open(sys.argv[1], actor="ada")
        list(tw.run(project))
    except TunewrightError as error:
        said = {"error": type(error).__name__, "hint": error.hint, "told": str(error)}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
