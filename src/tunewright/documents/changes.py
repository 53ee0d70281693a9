import base64
import hashlib
from importlib.resources import files

from markupsafe import Markup

from tunewright.documents import Vetting
from tunewright.documents._templates import fill
from tunewright.documents._vetting_changes import STATE, groups
from tunewright.documents._vetting_words import line, many, seen


def changes(evidence: Vetting) -> str:
    """Every change that vetting made or asks about, before and after, as one HTML file to review from.

    It holds personal data: it is for those who decide, and never leaves the project's folder by itself. All
    of it can be read without a script; a few lines of script add a filter and put the commands together.

    Limits: lists the first changes only when there are many; changes.jsonl beside it has all.
    """
    script = files(__package__).joinpath("templates", "changes.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    states = {state: sum(e.state == state for e in evidence.edits) for state in STATE}
    page = fill(
        "changes.html.j2",
        e=evidence,
        title=line(evidence.project, 80),
        groups=groups(evidence),
        states=[(state, *STATE[state], n) for state, n in states.items() if n],
        waiting=states["waiting"],
        script=Markup(script),
        hash=f"sha256-{digest}",
        many=many,
    )
    return seen(page)
