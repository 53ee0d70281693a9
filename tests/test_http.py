"""Every verb over HTTP, the reading of what they left, and how errors travel."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import tunewright as tw
from tunewright.http import app
from tunewright.http.door import LARGEST, is_loopback
from tunewright.verbs import verbs


@pytest.fixture
def api(project: tw.Project) -> FastAPI:
    return app(project)


@pytest.fixture
def client(api: FastAPI) -> Iterator[TestClient]:
    with TestClient(api, raise_server_exceptions=False) as client:
        yield client


def test_the_whole_story_can_be_told_over_http(client: TestClient, project: tw.Project) -> None:
    kinds = [
        client.post(f"/api/{verb}") for verb in ("gather", "vet", "tune", "evaluate", "release", "serve")
    ]
    assert [answer.status_code for answer in kinds] == [201] * 6, kinds[-1].text
    told = [answer.json()["kind"] for answer in kinds]
    assert told == ["dataset", "dataset", "model", "report", "release", "channel"]
    assert kinds[-1].json()["release"] == kinds[-2].json()["digest"]
    assert client.get("/api/verify").json()["problems"] == []
    assert [entry["verb"] for entry in client.get("/api/ledger").json()["entries"]] == [
        "gather",
        "vet",
        "tune",
        "evaluate",
        "release",
        "serve",
    ]
    assert project.ledger.root()[1] == client.get("/api/ledger").json()["root"]


def test_work_that_was_done_before_says_so(client: TestClient) -> None:
    first, again = client.post("/api/gather"), client.post("/api/gather", json={})
    assert (first.status_code, first.json()["done_before"]) == (201, None)
    assert (again.status_code, again.json()["done_before"]) == (200, 1)
    assert again.json()["digest"] == first.json()["digest"]


def test_things_travel_by_name_or_by_digest(client: TestClient) -> None:
    digest = client.post("/api/gather").json()["digest"]
    assert client.post("/api/vet", json={"dataset": digest[:12]}).json()["parent"] == digest
    listed = client.get("/api/datasets").json()
    assert [thing["names"] for thing in listed] == [["gathered"], ["vetted"]]
    assert client.get("/api/datasets/gathered").json()["digest"] == digest
    assert client.get(f"/api/datasets/{digest[:12]}").json() == client.get("/api/datasets/gathered").json()


def test_a_trace_leads_back_to_the_source(client: TestClient) -> None:
    client.post("/api/gather")
    vetted = client.post("/api/vet").json()["digest"]
    for ref in (vetted, "vetted"):
        found = client.get(f"/api/trace/{ref}").json()
        assert found["thing"]["kind"] == "dataset"
        assert [entry["verb"] for entry in found["history"]] == ["vet", "gather"]


def test_the_ledger_is_read_in_pages(client: TestClient) -> None:
    client.post("/api/gather")
    client.post("/api/vet")
    page = client.get("/api/ledger", params={"after": 1, "limit": 1}).json()
    assert (page["size"], [entry["seq"] for entry in page["entries"]]) == (2, [2])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "word"),
    [
        ("POST", "/api/vet", {"dataset": "nothing"}, 404, "tunewright list dataset"),
        ("POST", "/api/tune", {}, 404, "tunewright list dataset"),
        ("POST", "/api/forget", {"person": "nobody@example.com"}, 404, "customer"),
        ("POST", "/api/vet", {"dataste": "x"}, 422, "dataste"),
        ("POST", "/api/forget", {}, 422, "person"),
        ("POST", "/api/watch", {"days": "many"}, 422, "days"),
        ("GET", "/api/trace/nothing", None, 404, "/api/ledger"),
        ("GET", "/api/models/nothing", None, 404, "tunewright list model"),
        ("GET", "/api/ledger?limit=0", None, 422, "limit"),
        ("GET", "/api/elsewhere", None, 404, "Not Found"),
        ("DELETE", "/api/ledger", None, 405, "Method Not Allowed"),
    ],
)
def test_every_error_is_a_problem_with_a_hint(
    client: TestClient, method: str, path: str, body: object, status: int, word: str
) -> None:
    answer = client.request(method, path, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail", "hint"}
    assert answer.json()["status"] == status
    assert word in answer.text


def test_what_breaks_inside_is_a_problem_too_and_repeats_no_words(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the secret is xyzzy")

    monkeypatch.setattr("tunewright.http.api.verify", broken)
    answer = client.get("/api/verify")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "RuntimeError" in answer.text
    assert "xyzzy" not in answer.text


def test_a_wrong_value_is_not_repeated(client: TestClient) -> None:
    answer = client.post("/api/forget", json={"person": ["ada@example.com"]})
    assert answer.status_code == 422
    assert "ada@" not in answer.text


def test_a_refusal_leaves_its_entry(client: TestClient, project: tw.Project) -> None:
    client.post("/api/gather")
    answer = client.post("/api/tune", json={"dataset": "gathered"})
    assert (answer.status_code, answer.json()["title"]) == (409, "A policy said no")
    assert client.get("/api/ledger").json()["entries"][-1]["outcome"] == "refused"


def test_the_description_is_made_from_the_verbs(api: FastAPI) -> None:
    paths = api.openapi()["paths"]
    for name in verbs:
        told = paths[f"/api/{name}"]["post"]
        assert told["summary"] in " ".join((verbs[name].__doc__ or "").split())
        assert "Limits:" in told["description"]
        assert "Parameters:" not in told["description"]
        assert "application/problem+json" in told["responses"]["default"]["content"]
    body = api.openapi()["components"]["schemas"]["Serve"]["properties"]
    assert body["release"]["default"] == "latest"
    assert body["channel"]["description"] == "name of the service, also its model name"


def test_nothing_answers_without_the_key(project: tw.Project) -> None:
    client = TestClient(app(project, key="sesame"))
    for sent in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic sesame"}):
        answer = client.get("/api/ledger", headers=sent)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json()["title"] == "No key, or the wrong one"
    assert client.get("/api/ledger", headers={"Authorization": "Bearer sesame"}).status_code == 200
    assert client.get("/openapi.json").status_code == 401
    assert client.get("/healthz").status_code == 200


def test_a_name_that_was_pointed_at_this_machine_is_turned_away(client: TestClient) -> None:
    assert client.get("/healthz", headers={"Host": "evil.example:8000"}).status_code == 403
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_pages_of_other_sites_run_nothing_here(client: TestClient, project: tw.Project) -> None:
    assert client.post("/api/gather", headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post("/api/gather", headers={"Origin": "null"}).status_code == 403
    assert project.ledger.root()[0] == 0
    assert client.post("/api/gather", headers={"Origin": "http://testserver"}).status_code == 201
    keyed = TestClient(app(project, key="sesame"))
    sent = {"Origin": "https://shop.example", "Authorization": "Bearer sesame"}
    assert keyed.get("/api/ledger", headers=sent).status_code == 200


def test_a_body_may_not_be_endless(client: TestClient) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(LARGEST // 100_000 + 2):
            yield b" " * 100_000

    assert client.post("/api/gather", content=endless()).status_code == 413


@pytest.mark.parametrize(
    ("host", "local"),
    [
        *(("127.0.0.1", True), ("localhost", True), ("::1", True), ("[::1]", True), ("127.9.9.9", True)),
        *(("0.0.0.0", False), ("::", False), ("example.com", False), ("192.168.1.2", False)),
    ],
)
def test_only_loopback_is_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local
