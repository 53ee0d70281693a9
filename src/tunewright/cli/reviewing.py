"""What people decide: reviews of vetting's changes, marks for its audit, and a look behind a pseudonym."""

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter
from pydantic import JsonValue
from rich.text import Text

from tunewright.cli.answer import Answer, answering, shown
from tunewright.cli.project import In, Json, type_next, working
from tunewright.cli.render.words import counted, heading, pairs, plain, table
from tunewright.errors import BadInput, NotFound
from tunewright.nouns import Dataset, Edit, Finding, Mark, Record, Report, Review
from tunewright.project import Project
from tunewright.verbs._audit import key_of, to_mark

SHOWN = 20
"""Changes that are listed when nobody can be asked."""


def review_(
    *,
    accept: Annotated[
        tuple[str, ...], Parameter(help="Accept these: `all`, a check, check.what, or the start of an id.")
    ] = (),
    reject: Annotated[tuple[str, ...], Parameter(help="Reject these, named in the same way.")] = (),
    project: In = None,
    json: Json = False,
) -> None:
    """Go through the changes that vetting made or asks about, and accept or reject each.

    In a terminal it asks one by one; otherwise, or with --json, it lists them. What was rejected is never
    done again, and what was accepted is not asked again: both are kept in reviews.jsonl, without any of
    the words. The next `tunewright vet` heeds them.

    Limits: a review holds for exactly this message; the same words elsewhere are another change.
    """
    with answering(json) as answer, working(project, answer) as opened:
        edits = _latest(opened)
        known = {r.change for r in opened.reviews()}
        said = {e.change: True for e in edits if _named(e, accept)}
        said |= {e.change: False for e in edits if _named(e, reject)}
        for name in (*accept, *reject):
            if not any(_named(edit, (name,)) for edit in edits):
                kinds = sorted({f"{e.check}.{e.what}" for e in edits})
                raise BadInput(f"no change is called {name!r}", hint=f"one of: all, {', '.join(kinds)}")
        open_ = [e for e in edits if e.change not in known]
        if not (accept or reject or json) and sys.stdin.isatty() and sys.stdout.isatty():
            said = _ask(answer, open_)
        if said:
            opened.note("reviews.jsonl", _reviews(opened, said))
            known |= set(said)
        rest = [e for e in edits if e.change not in known]
        answer.fields |= {
            "reviewed": len(said),
            "open": len(rest),
            "changes": list[JsonValue]([e.model_dump(mode="json") for e in rest]),
        }
        _tell(answer, opened, len(said), rest)


def reveal_(
    surrogate: Annotated[str, Parameter(help="The pseudonym, as it stands in a record.")] = "",
    *,
    destroy: Annotated[
        bool, Parameter(help="Destroy the key instead: no pseudonym can ever be turned back.", negative="")
    ] = False,
    project: In = None,
    json: Json = False,
) -> None:
    """Who is behind a pseudonym. Needs the key in the project's .tunewright folder.

    With --destroy the key and what it protects are destroyed; the data stay as they are.

    Limits: parts of a name have pseudonyms of their own; ask for each. Copies of the key elsewhere stay.
    """
    with answering(json) as answer, working(project, answer) as opened:
        if destroy:
            there = opened.vault.destroy()
            answer.fields["destroyed"] = there
            answer.say("The key is destroyed." if there else "There is no key: nothing was pseudonymised.")
            return
        if not surrogate:
            raise BadInput("say which pseudonym", hint="tunewright reveal 'Mara Holt'")
        found = opened.vault.reveal(surrogate)
        answer.fields["behind"] = [{"kind": kind, "words": words} for kind, words in found]
        answer.say(pairs(found))


def mark(answer: Answer, project: Project, dataset: Dataset, wanted: int) -> None:
    """Ask a person to mark all personal data in so many records, as far as that was not done before."""
    todo = to_mark(project, project.policy(), dataset, wanted)
    if not todo or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    answer.say(
        heading(
            "audit", f"{counted(len(todo), 'record')} to mark; Ctrl-C stops, and what was marked is kept"
        ),
        "What the check found stands in [[n: …]]. Say which are none; then write what it missed, a piece a",
        "line, as `kind: words`, for example `name: Anna Berg`. An empty line ends the record.",
    )
    for number, (record, findings) in enumerate(todo, 1):
        spans = sorted((f for f in findings if f.end > f.start), key=lambda f: (f.message, f.start))
        answer.say("", heading(f"{number} of {len(todo)}", f"{record.origin.file}:{record.origin.line}"))
        for index, message in enumerate(record.messages):
            marked = plain(_marked(message.content, index, spans))
            answer.say(Text.assemble((f"{message.role}  ", "dim"), marked))
        wrong = {int(n) for n in input("none of it: numbers> ").replace(",", " ").split() if n.isdigit()}
        kept = [(f.message, f.start, f.end, f.what) for n, f in enumerate(spans, 1) if n not in wrong]
        while line := input("missed> ").strip():
            place = _place(record, line)
            if place is None:
                answer.say(Text("these words do not stand in the record; copy them as they are", "yellow"))
            else:
                kept.append(place)
        made = Mark(record=key_of(project, record), spans=tuple(kept), by=project.actor, at=datetime.now(UTC))
        project.note("audit.jsonl", [made])


def _marked(content: str, index: int, spans: Sequence[Finding]) -> str:
    text, at = "", 0
    for number, span in enumerate(spans, 1):
        if span.message == index and span.start >= at:
            text += f"{content[at : span.start]}[[{number}: {content[span.start : span.end]}]]"
            at = span.end
    return text + content[at:]


def _place(record: Record, line: str) -> tuple[int, int, int, str] | None:
    """Where the words of `kind: words` stand first."""
    kind, colon, words = line.partition(":")
    kind, words = (kind.strip(), words.strip()) if colon else ("name", line)
    for index, message in enumerate(record.messages):
        if words and (start := message.content.find(words)) >= 0:
            return index, start, start + len(words), kind
    return None


def _latest(project: Project) -> list[Edit]:
    report = project.ledger.find(Report, "vetted")
    if report is None:
        raise NotFound("nothing was vetted yet", hint=type_next("vet", project))
    return list({edit.change: edit for edit in project.edits(report)}.values())


def _named(edit: Edit, names: Sequence[str]) -> bool:
    mine = ("all", edit.check, f"{edit.check}.{edit.what}")
    return any(name in mine or (len(name) >= 6 and edit.change.startswith(name)) for name in names)


def _reviews(project: Project, said: dict[str, bool]) -> list[Review]:
    now = datetime.now(UTC)
    return [Review(change=c, accept=word, by=project.actor, at=now) for c, word in said.items()]


def _ask(answer: Answer, edits: Sequence[Edit]) -> dict[str, bool]:
    """One question for each change; stopping keeps what was said so far."""
    said, kinds = dict[str, bool](), dict[str, bool]()
    answer.say(Text("a accept   r reject   A, R all of this kind   s skip   q stop", "dim"))
    for number, edit in enumerate(edits, 1):
        kind = f"{edit.check}.{edit.what}"
        if kind in kinds:
            said[edit.change] = kinds[kind]
            continue
        where = f"{number} of {len(edits)}  {kind}  {edit.origin.file}:{edit.origin.line}"
        answer.say("", heading(edit.note, where), _shown(edit))
        try:
            word = input("> ").strip()
        except (EOFError, KeyboardInterrupt):
            break
        if word in ("q", "Q"):
            break
        if word in ("A", "R"):
            kinds[kind] = word == "A"
        if word in ("a", "r", "A", "R"):
            said[edit.change] = word in ("a", "A")
    return said


def _shown(edit: Edit) -> Text:
    return Text.assemble(
        plain(edit.left),
        (plain(edit.before), "red strike"),
        (" → ", "dim"),
        (plain(edit.after) or "?", "green"),
        plain(edit.right),
    )


def _tell(answer: Answer, project: Project, said: int, rest: Sequence[Edit]) -> None:
    if said:
        told = f"{counted(said, 'change')} reviewed; kept in {shown(project.folder / 'reviews.jsonl')}"
        answer.say(Text(told, "green"))
    counts = Counter((f"{e.check}.{e.what}", e.remedy, e.state) for e in rest)
    rows = [(kind, remedy, state, f"{n:,}") for (kind, remedy, state), n in sorted(counts.items())]
    answer.say(heading("not reviewed", counted(len(rest), "change")))
    if rows:
        answer.say(table("kind", "remedy", "state", "changes", rows=rows, right=[3]))
    for edit in rest[:SHOWN]:
        answer.say(Text.assemble((f"{edit.change[:10]}  ", "dim"), _shown(edit)))
    words = type_next("vet", project) if said else type_next("review", project, tail="--accept all")
    answer.say("", Text.assemble(("next  ", "dim"), words))
