"""Commands that are no verbs: the whole story, and readers that leave no evidence."""

import json as js
import shutil
import time
from pathlib import Path
from shlex import quote
from typing import Annotated

from cyclopts import Parameter
from pydantic import JsonValue
from rich.console import RenderableType
from rich.text import Text

from tunewright.cli.answer import Answer, answering, shown
from tunewright.cli.app import ORDER
from tunewright.cli.from_verbs import aside, chapter
from tunewright.cli.project import In, Json, type_next, working
from tunewright.cli.render import as_json, render, summary
from tunewright.cli.render.data import fates, noticed
from tunewright.cli.render.examined import arms, changed, compared
from tunewright.cli.render.ledger import story, when
from tunewright.cli.render.made import documents, erasures
from tunewright.cli.render.words import counted, heading, pairs, plain, short, table
from tunewright.errors import BadInput, NotFound, Refused, Tampered
from tunewright.nouns import NOUNS, Dataset, Decision, Entry, Noun, Release, Report
from tunewright.project import Project, Settings, verify
from tunewright.story import run
from tunewright.verbs import Done

STARTER = Path(__file__).parent / "starter"
LISTED = ("dataset", "model", "report", "release", "channel", "erasure", "curve", "search", "export")
"""What `list` shows when no kind is named."""


def run_(
    folder: Annotated[Path | None, Parameter(help="Folder of the project.", show_default=False)] = None,
    *,
    project: In = None,
    json: Json = False,
) -> None:
    """Gather, vet, tune, evaluate and release, as tunewright.yaml says; what is done already is skipped.

    Stopped or killed, the same command goes on from where it was. When the policy does not let the model out,
    the evaluation is shown all the same, then the reasons; the exit code is 5.

    Limits: decides by the rules in tunewright.yaml; a rule that nobody wrote is not checked.
    """
    with answering(json) as answer, working(folder or project, answer) as opened:
        chapters: list[JsonValue] = []
        answer.fields["chapters"] = chapters
        nouns = dict[str, Noun]()
        clock = time.monotonic()
        answer.starting(ORDER[0])
        try:
            for verb, noun, before in run(opened):
                seconds, clock = time.monotonic() - clock, time.monotonic()
                done = Done(noun, before)
                nouns[verb] = noun
                chapters.append(chapter(verb, done, seconds))
                answer.say(heading(verb, aside(done, seconds)), Text(f"  {plain(summary(noun, opened))}"))
                if verb != "release":
                    answer.starting(ORDER[ORDER.index(verb) + 1])
        except Refused:
            _tell_all(answer, opened, nouns)
            if "evaluate" in nouns:
                answer.say("", Text("The gate stays closed.", "bold red"))
            raise
        _tell_all(answer, opened, nouns)


def _tell_all(answer: Answer, project: Project, nouns: dict[str, Noun]) -> None:
    """The story's end: counts, table, comparisons, answers, decision, documents and what to type next."""
    vetted, report, release = nouns.get("vet"), nouns.get("evaluate"), nouns.get("release")
    if isinstance(vetted, Dataset) and report is not None:
        answer.say("", heading("vetting"), fates(vetted), *noticed(vetted, project))
    if isinstance(report, Report):
        answer.say(
            "",
            heading("evaluation", "mean and 95% interval"),
            arms(report, answer.width),
            *compared(report, answer.width),
        )
        answer.say(*changed(report, project, answer.width))
    if isinstance(release, Release):
        decision = project.ledger.get(Decision, release.decision)
        paths = documents(project)
        answer.fields["release"] = as_json(release)
        answer.fields["decision"] = as_json(decision)
        answer.fields["documents"] = [str(path) for path in paths]
        rows: list[tuple[str, RenderableType]] = [("decision", Text("the policy lets it out", "bold green"))]
        rows += [("" if at else "because", why) for at, why in enumerate(decision.met)]
        rows += [("" if at else "documents", shown(path)) for at, path in enumerate(paths)]
        rows.append(("next", Text(type_next("serve", project), "bold")))
        answer.say("", heading("release", short(release.digest)), pairs(rows))


def init_(
    folder: Annotated[Path, Parameter(help="Where to put it.")] = Path(),
    *,
    json: Json = False,
) -> None:
    """Write a small project that runs: tunewright.yaml with every field explained, data and cases to replace.

    It starts with a stand-in for a model, so that it runs at once and without downloads; the file says
    which lines to change for a real one. Nothing that is there already is overwritten.

    Limits: three dozen invented conversations; nothing measured with the stand-in means anything.
    """
    with answering(json) as answer:
        files = sorted(path.relative_to(STARTER) for path in STARTER.rglob("*") if path.is_file())
        there = [name for name in files if (folder / name).exists()]
        if there:
            raise BadInput(
                f"{shown(folder / there[0])} is there already, and nothing is overwritten",
                hint="tunewright init ANOTHER_FOLDER",
            )
        for name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(STARTER / name, folder / name)
        answer.fields["files"] = [str(folder / name) for name in files]
        answer.say(heading("written"), *(f"  {shown(folder / name)}" for name in files), "")
        target = "" if folder.resolve() == Path.cwd() else f" {quote(shown(folder))}"
        answer.say(Text.assemble(("next  ", "dim"), f"tunewright run{target}"))


def list_(
    kind: Annotated[
        str, Parameter(help=f"Such as {', '.join((*LISTED, 'entry'))}; without it, those that matter most.")
    ] = "",
    *,
    project: In = None,
    json: Json = False,
) -> None:
    """What there is in the project: kind, name, digest, when it was made, and a line about it.

    Models that have seen a person who asked to be forgotten are marked.
    """
    with answering(json) as answer, working(project, answer) as opened:
        wanted = kind.lower().removesuffix("s") if kind.lower() not in NOUNS else kind.lower()
        if wanted == "entrie":
            wanted = Entry.kind
        if kind and wanted not in NOUNS:
            raise BadInput(f"nothing is called a {kind!r}", hint=f"one of: {', '.join((*LISTED, 'entry'))}")
        entries = list(opened.ledger.entries())
        made = {digest: entry.started for entry in entries for digest in entry.outputs}
        rows, things = list[tuple[RenderableType, ...]](), list[JsonValue]()
        for each in [wanted] if kind else LISTED:
            names = opened.ledger.names(NOUNS[each])
            nouns: list[Noun] = list(entries) if each == Entry.kind else list(opened.ledger.all(NOUNS[each]))
            for noun in nouns:
                mine = [name for name, digest in names.items() if digest == noun.digest]
                marked = bool(erasures(noun.digest, opened))
                moment = noun.started if isinstance(noun, Entry) else made.get(noun.digest)
                line = summary(noun, opened)
                told = Text.assemble(
                    plain(line), (" MARKED: saw a forgotten person", "red") if marked else ""
                )
                called = str(noun.seq) if isinstance(noun, Entry) else ", ".join(mine)
                rows.append((each, called, short(noun.digest), when(moment) if moment else "", told))
                things.append(
                    {
                        "kind": each,
                        "names": list[JsonValue](mine),
                        "digest": noun.digest,
                        "when": moment.isoformat() if moment else None,
                        "summary": line,
                        "marked": marked,
                    }
                )
        answer.fields["things"] = things
        if rows:
            answer.say(table("kind", "name", "digest", "when", "in short", rows=rows, whole=[0, 2, 3]))
        else:
            answer.say(f"Nothing yet. {type_next('run', opened)} makes something.")


def show_(
    ref: Annotated[str, Parameter(help="A name, kind/name, the start of a digest, or an entry's number.")],
    *,
    project: In = None,
    json: Json = False,
) -> None:
    """One thing in full."""
    with answering(json) as answer, working(project, answer) as opened:
        noun = _find(opened, ref)
        answer.fields |= as_json(noun)
        answer.say(*render(noun, opened, answer.width))


def trace_(
    ref: Annotated[str, Parameter(help="A name, kind/name, or the start of a digest.")],
    *,
    project: In = None,
    json: Json = False,
) -> None:
    """How a thing came to be: every entry of the ledger that led to it, the latest first."""
    with answering(json) as answer, working(project, answer) as opened:
        noun = _find(opened, ref)
        entries = opened.ledger.history(noun.digest)
        told: list[JsonValue] = [{"digest": e.digest, **e.model_dump(mode="json")} for e in entries]
        answer.fields |= {"kind": noun.kind, "digest": noun.digest, "entries": told}
        answer.say(heading(noun.kind, short(noun.digest)), "", story(entries, opened))


def verify_(*, project: In = None, json: Json = False) -> None:
    """Recompute every digest, and the tree over the ledger; exit code 6 when something does not hold.

    Limits: entries cut off the end, or a ledger rewritten whole, are seen only by whoever kept an
    earlier count and root elsewhere. Keep them.
    """
    with answering(json) as answer, working(project, answer) as opened:
        seen = verify(opened)
        answer.fields |= {
            "entries": seen.entries,
            "things": seen.things,
            "blobs": seen.blobs,
            "root": seen.root,
            "problems": list[JsonValue](seen.problems),
        }
        counts = f"{seen.entries:,} entries, {seen.things:,} things, {seen.blobs:,} blobs"
        answer.say(pairs([("looked at", counts), ("root", seen.root)]))
        if seen.problems:
            told = "\n".join(f"- {problem}" for problem in seen.problems)
            raise Tampered(
                f"{counted(len(seen.problems), 'problem')}\n{told}",
                hint="restore the project from a backup, or find out who changed it",
            )
        answer.say(Text("Everything holds.", "green"))


def schema_(*, json: Json = False) -> None:
    """The JSON Schema of tunewright.yaml, for editors that complete and check it."""
    with answering(json) as answer:
        answer.fields |= Settings.model_json_schema()
        answer.write(js.dumps(Settings.model_json_schema(), indent=2))


def _find(project: Project, ref: str) -> Noun:
    """Errors: `NotFound`; `BadInput` when it could be several things."""
    kind, slash, name = ref.rpartition("/")
    if slash and kind not in NOUNS:
        raise BadInput(f"nothing is called a {kind!r}", hint=f"one of: {', '.join((*LISTED, 'entry'))}")
    wanted, ref = ({kind: NOUNS[kind]} if slash else NOUNS), name
    if Entry.kind in wanted and (ref.isdecimal() or slash):
        for entry in project.ledger.entries():
            if str(entry.seq) == ref or entry.digest == ref:
                return entry
    thing = project.ledger.thing(ref)
    hits = [thing] if thing else [n for k in wanted.values() if (n := project.ledger.find(k, ref))]
    if not hits:
        raise NotFound(f"there is nothing called {ref!r}", hint=type_next("list", project))
    if len(hits) > 1:
        ways = " or ".join(f"{hit.kind}/{ref}" for hit in hits)
        raise BadInput(f"{ref!r} could be {len(hits)} things", hint=ways)
    return hits[0]
