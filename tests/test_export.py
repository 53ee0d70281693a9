"""`tunewright export`: files, proof, refusal, and the way to the hub."""

import base64
import importlib.util
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import tunewright as tw
from tunewright.bases import find
from tunewright.cli.render import render, summary
from tunewright.errands import _proof, errands
from tunewright.errors import BadInput, Denied, Exhausted, NotFound, Refused
from tunewright.nouns import Dataset, Difference, Entry, Erasure, Export, Message, Model, Origin, Record
from tunewright.store import Work, hash_path
from tunewright.verbs import verbs

export = errands["export"]


def contracts(name: str) -> Any:
    """A module of the contract tests: the tiny model is made there."""
    spec = importlib.util.spec_from_file_location(
        f"tiny_{name}", Path(__file__).parent / "contracts" / f"{name}.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny base model and an adapter for it."""
    base = contracts("conftest").made(tmp_path_factory.mktemp("base"))
    return base, contracts("test_exports").adapted(base, tmp_path_factory.mktemp("adapter"))


def hand_over(project: tw.Project, weights: Path) -> Model:
    """A tuned model that was not tuned here: its evidence, and one record that it learnt from."""
    recipe = project.recipe()
    found = find(recipe.base, home=project.folder, cache=project.state / "bases")
    talk = (Message(role="user", content="Where is it?"), Message(role="assistant", content="Here."))
    record = Record(id="r1", messages=talk, origin=Origin(source="s", file="f", line=1))
    with project.ledger.step(Work("tune", "a" * 64, ()), "ada", {}) as step:
        dataset = Dataset(
            name="d",
            records=step.keep_nouns([record]),
            count=1,
            received=1,
            quarantine=step.keep(""),
            sources=(),
            fates={"kept": 1},
        )
        model = Model(
            name="shop",
            base=found.base.digest,
            recipe=recipe.digest,
            dataset=dataset.digest,
            weights=step.keep(weights),
            history=step.keep(""),
            made_with={},
        )
        step.save(dataset, "vetted")
        step.save(recipe)
        step.save(found.base)
        return step.save(model, "tuned")


@pytest.fixture
def shop(folder: Path, parts: tuple[Path, Path]) -> Iterator[tw.Project]:
    """A project whose tuned model is the tiny one."""
    file = folder / "tunewright.yaml"
    said = (
        file.read_text().replace('"echo:"', f'"folder:{parts[0]}"').replace("trainer: echo", "trainer: lora")
    )
    options = "runtime: local\n  options: {threads: 1}\n  max_tokens: 8"
    file.write_text(said.replace("runtime: echo", options) + "system: Be kind.\n")
    project = tw.open(folder, actor="ada")
    hand_over(project, parts[1])
    yield project
    project.close()


def tuned(project: tw.Project) -> Model:
    return project.ledger.get(Model, "tuned")


@pytest.fixture
def taught(project: tw.Project) -> tw.Project:
    """A project of echo fakes with a tuned model."""
    verbs["gather"](project)
    verbs["vet"](project, project.ledger.get(Dataset, "gathered"))
    verbs["tune"](project, project.ledger.get(Dataset, "vetted"))
    return project


# ── what is written, and its proof ──────────────────────────────────────────────────────────────


def test_the_stand_in_is_exported_and_proved_like_a_model(taught: tw.Project) -> None:
    made = export(taught, tuned(taught), to="adapter")
    assert isinstance(made, Export)
    assert made.prompts == made.identical == 12
    assert [proof.engine for proof in made.proofs] == ["echo"]
    assert (taught.out / "exports" / "adapter" / "memory.json").is_file()
    assert "not released" in made.warnings[0]


@pytest.mark.parametrize(
    ("to", "precision", "name", "loaded"),
    [
        ("adapter", "", "adapter", "."),
        ("merged", "", "merged-float32", "."),
        ("gguf", "f32", "gguf-F32", "shop-F32.gguf"),
    ],
)
def test_an_export_is_written_proved_and_recorded(
    shop: tw.Project, to: str, precision: str, name: str, loaded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_proof, "engines", lambda artefact: [])  # foreign engines: see the contract tests
    made = export(shop, tuned(shop), to=to, precision=precision, prompts=5)
    assert isinstance(made, Export)
    assert (made.name, made.loaded, made.folder) == (name, loaded, f"out/exports/{name}")
    assert (made.prompts, made.identical) == (5, 5)
    assert [(p.engine, p.token_f1, p.common) for p in made.proofs] == [("local", 1.0, 1.0)]
    assert abs(made.proofs[0].surprise or 0) < 1e-4
    place = shop.folder / made.folder
    assert made.files == {f: hash_path(place / f) for f in made.files}
    assert {p.name for p in place.iterdir()} == set(made.files)
    assert made.bytes == sum(p.stat().st_size for p in place.iterdir())
    assert [p.name for p in place.parent.iterdir()] == [name]  # nothing half-made is left
    assert "not released" in (place / "README.md").read_text()
    assert shop.ledger.get(Export, name) == made
    entry = list(shop.ledger.entries())[-1]
    assert entry.verb == "export"
    assert entry.outputs == (made.digest,)
    again = export(shop, tuned(shop), to=to, precision=precision, prompts=5)
    assert isinstance(again, Export)
    assert again.files == made.files  # the same bytes


def test_differences_are_listed_and_a_rounding_precision_is_warned_of(
    shop: tw.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_proof, "engines", lambda artefact: [])
    monkeypatch.setattr(
        _proof, "SURPRISE", {False: 0.01, True: 99.0}
    )  # a random model: rounding is all there is
    made = export(shop, tuned(shop), to="gguf", precision="Q4_0")
    assert isinstance(made, Export)
    lines = [Difference.model_validate_json(x) for x in shop.ledger.blobs.lines(made.differences)]
    assert len(lines) == made.prompts - made.identical > 0
    assert all(d.tuned != d.exported and d.case.startswith("case-") for d in lines)
    assert "Q4_0 rounds" in made.warnings[0]
    entries = "".join(e.model_dump_json() for e in shop.ledger.entries())
    assert not any(d.tuned.strip() in entries for d in lines if len(d.tuned.strip()) > 4)
    said = "".join(str(part) for part in render(made, shop, 100))
    assert "ollama create shop -f out/exports/gguf-Q4_0/Modelfile" in said
    assert "answers the same" in summary(made, shop)


def test_an_export_that_says_something_else_is_refused_and_deleted(
    shop: tw.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a writer would that forgets to reorder the rows of q and k."""
    from tunewright.exports.gguf import Tensor

    monkeypatch.setattr(_proof, "engines", lambda artefact: [])
    monkeypatch.setattr(Tensor, "values", lambda tensor: tensor.weight.detach().float().contiguous())
    with pytest.raises(Refused, match="does not say what the tuned model says") as refused:
        export(shop, tuned(shop), to="gguf", precision="F32")
    assert "nats a token" in str(refused.value)
    assert "case-" in str(refused.value)
    assert refused.value.hint
    assert list((shop.out / "exports").iterdir()) == []
    assert not shop.ledger.all(Export)
    entry: Entry = list(shop.ledger.entries())[-1]
    assert entry.outcome == "refused"


def test_who_asks_for_more_agreement_gets_it_or_a_refusal(
    shop: tw.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_proof, "engines", lambda artefact: [])
    monkeypatch.setattr(_proof, "SURPRISE", {False: 0.01, True: 99.0})
    with pytest.raises(Refused, match=r"wanted at least 0\.99") as refused:
        export(shop, tuned(shop), to="gguf", precision="Q4_0", at_least=0.99)
    assert refused.value.hint == "tunewright export --to gguf --precision F32"


def test_prompts_are_the_cases_evenly_chosen_or_else_questions_of_the_records(shop: tw.Project) -> None:
    records = shop.records(shop.ledger.get(Dataset, "vetted"))
    chosen = _proof.golden(shop, records, "Be kind.", 4)
    assert [p.case for p in chosen] == ["case-0", "case-3", "case-6", "case-9"]
    assert chosen[0].messages[0] == Message(role="system", content="Be kind.")
    assert len(_proof.golden(shop, records, "", 99)) == 12
    (shop.folder / "evaluation" / "cases.jsonl").unlink()
    from_records = _proof.golden(shop, records, "", 4)
    assert [(p.case, p.messages[-1].content) for p in from_records] == [("r1", "Where is it?")]
    with pytest.raises(BadInput, match="at least one"):
        _proof.golden(shop, records, "", 0)


# ── what goes wrong ─────────────────────────────────────────────────────────────────────────────


def test_what_is_not_known_is_told_with_what_there_is(shop: tw.Project) -> None:
    with pytest.raises(NotFound, match="gguff"):
        export(shop, tuned(shop), to="gguff")
    with pytest.raises(BadInput, match="Q9"):
        export(shop, tuned(shop), to="gguf", precision="Q9")
    with pytest.raises(BadInput, match="neither"):
        export(shop, tuned(shop).model_copy(update={"weights": nothing(shop)}), to="merged")


def nothing(project: tw.Project) -> str:
    (project.folder / "nothing").mkdir()
    return project.ledger.blobs.keep(project.folder / "nothing")


def test_a_model_that_has_seen_a_forgotten_person_is_refused(taught: tw.Project) -> None:
    with taught.ledger.step(Work("forget", "b" * 64, ()), "ada", {}) as step:
        step.save(
            Erasure(
                person="c" * 64,
                records=1,
                exchanges=0,
                datasets=(),
                blobs=(),
                models=(tuned(taught).digest,),
                releases=(),
                retrain="tunewright run",
            )
        )
    with pytest.raises(Refused, match="forgotten"):
        export(taught, tuned(taught), to="adapter")
    assert not (taught.out / "exports").exists()


def test_a_full_disk_is_told_and_nothing_is_left(shop: tw.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    import gguf

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gguf.GGUFWriter, "write_tensor_data", full)
    with pytest.raises(Exhausted) as error:
        export(shop, tuned(shop), to="gguf")
    assert "disk" in error.value.hint
    assert list((shop.out / "exports").iterdir()) == []


# ── the hub ─────────────────────────────────────────────────────────────────────────────────────


class Hub:
    """As much of the Hugging Face hub as a push uses, on loopback."""

    def __init__(self) -> None:
        self.calls, self.private = list[str](), list[object]()
        self.files, self.large = dict[str, bytes](), dict[str, bytes]()
        self.deny = False
        hub = self

        class Desk(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def answer(self, said: object, status: int = 200) -> None:
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") == "chunked":
                    data = b""
                    while size := int(self.rfile.readline(), 16):
                        data += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                    return data
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))

            def do_GET(self) -> None:
                hub.calls.append(f"GET {self.path}")
                self.answer({"error": "not here"}, 404)

            def do_PUT(self) -> None:
                hub.calls.append("PUT large")
                hub.large[self.path.rpartition("/")[2]] = self.body()
                self.answer({})

            def do_POST(self) -> None:
                path, data = self.path.partition("?")[0], self.body()
                hub.calls.append(f"POST {path}")
                if hub.deny or self.headers.get("Authorization") != "Bearer hf_secret":
                    self.answer({"error": "no"}, 401)
                elif path == "/api/repos/create":
                    said = json.loads(data)  # huggingface_hub 2 says visibility, earlier ones private
                    hub.private.append(said.get("private", said.get("visibility") == "private"))
                    self.answer({"url": f"{hub.url}/ada/shop", "name": "ada/shop"})
                elif path == "/api/validate-yaml":
                    self.answer({"errors": [], "warnings": []})
                elif path == "/api/models/ada/shop/preupload/main":
                    self.answer({"files": [hub.mode(f["path"]) for f in json.loads(data)["files"]]})
                elif path == "/ada/shop.git/info/lfs/objects/batch":
                    self.answer({"objects": [hub.room(o) for o in json.loads(data)["objects"]]})
                elif path == "/api/models/ada/shop/commit/main":
                    for line in map(json.loads, data.decode().splitlines()):
                        hub.commit(line["key"], line["value"])
                    said = {"commitUrl": f"{hub.url}/ada/shop/commit/{'d' * 40}", "commitOid": "d" * 40}
                    self.answer({**said, "pullRequestUrl": None})
                else:
                    self.answer({"error": "not here"}, 404)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def mode(self, path: str) -> dict[str, object]:
        large = path.endswith((".safetensors", ".gguf"))
        return {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": None}

    def room(self, thing: dict[str, Any]) -> dict[str, object]:
        href = f"{self.url}/large/{thing['oid']}"
        return {**thing, "actions": {"upload": {"href": href, "header": {}}}}

    def commit(self, key: str, value: dict[str, Any]) -> None:
        if key == "file":
            self.files[value["path"]] = base64.b64decode(value["content"])
        elif key == "lfsFile":
            self.files[value["path"]] = self.large[value["oid"]]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    constants = pytest.importorskip("huggingface_hub.constants")
    made = Hub()
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # the fake stores large files the older way
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_ENDPOINT", made.url)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # hf-lfs: the library's own call
def test_a_push_makes_a_private_repository_with_exactly_the_files(shop: tw.Project, hub: Hub) -> None:
    made = export(shop, tuned(shop), to="adapter", prompts=2, push="ada/shop")
    assert isinstance(made, Export)
    assert made.pushed == f"ada/shop@{'d' * 40}"
    assert hub.private == [True]
    assert set(hub.files) == set(made.files)
    place = shop.folder / made.folder
    assert all((place / name).read_bytes() == data for name, data in hub.files.items())
    assert "PUT large" in hub.calls
    assert "hf_secret" not in "".join(e.model_dump_json() for e in shop.ledger.entries())


def test_who_may_not_push_is_told_before_the_work(shop: tw.Project, hub: Hub) -> None:
    hub.deny = True
    with pytest.raises(Denied) as denied:
        export(shop, tuned(shop), to="adapter", push="ada/shop")
    assert "HF_TOKEN" in denied.value.hint
    assert "hf_secret" not in str(denied.value)
    assert not (shop.out / "exports").exists()
    with pytest.raises(BadInput, match="no repository"):
        export(shop, tuned(shop), to="adapter", push="shop")


def test_a_hub_that_is_not_there_is_told(shop: tw.Project, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(BadInput, match="could not be reached"):
        export(shop, tuned(shop), to="adapter", push="ada/shop")


def test_a_released_model_takes_its_card_along(taught: tw.Project) -> None:
    report = verbs["evaluate"](taught, tuned(taught))
    verbs["release"](taught, report)
    made = export(taught, tuned(taught), to="adapter")
    assert isinstance(made, Export)
    card = (taught.folder / made.folder / "README.md").read_text()
    assert card == (taught.out / "MODEL_CARD.md").read_text()
    assert not made.warnings
