"""Every fetcher brings what lies elsewhere into one folder, whole or not at all, and keeps secrets."""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunewright.errors import BadInput, TunewrightError
from tunewright.fetchers import fetchers, pick_fetcher, resolved, scrubbed, shown
from tunewright.sources import pick, sources

ROW = json.dumps({"prompt": "Open?", "completion": "Yes."}) + "\n"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("name", list(fetchers))
def test_every_fetcher_states_a_title_and_its_limits(name: str) -> None:
    title, limits = fetchers.about(name)
    assert len(title) > 20
    assert limits.endswith(".")


# ── which fetcher, and what is shown of an address ──────────────────────────────────────────────


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("hub:owner/name@main", "hub"),
        ("s3://bucket/a.jsonl", "remote"),
        ("https://example.org/a.csv", "remote"),
        ("abfs://c@account.dfs.core.windows.net/a.parquet", "remote"),
        ("postgresql+psycopg://u@h/d", "sql"),
        ("sqlite:///shop.db", "sql"),
        ("${TEST_URI}", "sql"),
    ],
)
def test_the_scheme_picks_the_fetcher(uri: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_URI", "mysql+pymysql://u:secret@h/d")
    assert pick_fetcher(uri) == name


@pytest.mark.parametrize("uri", ["data/a.jsonl", "wizard://x", "", "C:\\data"])
def test_an_address_of_no_known_kind_is_refused_with_those_that_are(uri: str) -> None:
    with pytest.raises(BadInput) as caught:
        pick_fetcher(uri)
    assert "hub:" in caught.value.hint


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(BadInput, match="TEST_NOT_SET"):
        resolved("${TEST_NOT_SET}")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        (
            "postgresql://ann:hunter2@db:5432/shop?sslmode=require",
            "postgresql://ann:***@db:5432/shop?sslmode=require",
        ),
        ("postgresql://ann:h/un@ter?2#x@db/shop", "postgresql://ann:***@db/shop"),
        ("mysql://h/d?user=a@b&password=hunter2", "mysql://h/d?user=a@b&password=***"),
        ("https://x.blob.example/c/f.csv?sv=2&sig=hunter2%3D", "https://x.blob.example/c/f.csv?sv=2&sig=***"),
        ("https://ghp_hunter2hunter2hunter2@host/x", "https://***@host/x"),
        ("https://host/@me/x.csv", "https://host/@me/x.csv"),
        ("https://host:8080/@me/x.csv", "https://host:8080/@me/x.csv"),
        ("postgresql://${USER_NAME}:${DB_PASSWORD}@h/d", "postgresql://${USER_NAME}:${DB_PASSWORD}@h/d"),
        ("${DB_URL}", "${DB_URL}"),
        ("hub:owner/name@main", "hub:owner/name@main"),
    ],
)
def test_what_is_shown_of_an_address_has_no_secret(uri: str, said: str) -> None:
    assert shown(uri) == said


@given(
    st.sampled_from(["postgresql", "mysql+pymysql", "https", "s3", "sftp"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12),
)
def test_no_password_of_any_spelling_is_shown(scheme: str, text: str) -> None:
    password = f"Zq{text}qZ"
    if any(sign in text for sign in "?&;=") and scheme not in ("postgresql", "mysql+pymysql"):
        return  # such an address has no password by the rules of addresses
    seen = shown(f"{scheme}://ann:{password}@host.example/place")
    assert "Zq" not in seen
    assert "qZ" not in seen


def test_what_a_library_says_is_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SECRET", "hun%40ter2")
    uri = "postgresql://ann:${TEST_SECRET}@h/d?sslkey=abc123"
    told = scrubbed("no login for hun%40ter2, hun@ter2 with abc123 at postgresql://ann:hun%40ter2@h/d", uri)
    assert "ter2" not in told
    assert "abc123" not in told


# ── remote ──────────────────────────────────────────────────────────────────────────────────────


class Answers(BaseHTTPRequestHandler):
    """A server for the tests: files, a body that breaks off, and as much of the hub as is asked."""

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        body, more = ROW.encode(), dict[str, str]()
        if path.startswith("/api/datasets/team/set"):
            names = ["README.md", "load.py", "data/train-0.jsonl", "data/test-0.jsonl", "dataset_infos.json"]
            siblings = [{"rfilename": name} for name in names]
            told: object = {"id": "team/set", "sha": COMMIT, "siblings": siblings, "private": False}
            if "/tree/" in path:
                told = [{"type": "file", "path": n, "size": len(ROW), "oid": "1" * 40} for n in names]
            body = json.dumps(told).encode()
            more = {"Content-Type": "application/json"}
        elif "/resolve/" in path:
            more = {"ETag": '"1"', "X-Repo-Commit": COMMIT}
        elif path == "/gone.jsonl" or path.startswith("/api/"):
            self.send_error(404)
            return
        self.send_response(200)
        size = len(body) + (100 if path == "/broken.jsonl" else 0)
        for name, value in {"Content-Length": str(size), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as one:
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{one.server_address[1]}"
        one.shutdown()
        thread.join()


def left(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_file_over_http_is_fetched_whole_and_read(server: str, tmp_path: Path) -> None:
    path = fetchers["remote"](f"{server}/rows.jsonl?sig=hunter2", tmp_path / "in")
    assert (path.name, path.read_text()) == ("rows.jsonl", ROW)
    (found,) = sources[pick(path)](path, source="s", licence="MIT", file="f")
    assert found.shape == "questions with answers"


@pytest.mark.parametrize(
    ("place", "options", "words"),
    [
        ("broken.jsonl", {}, "broke off"),
        ("gone.jsonl", {}, "404"),
        ("rows.jsonl", {"max_bytes": 5}, "larger than 5 bytes"),
        ("rows.jsonl", {"sha256": "0" * 64}, "not the file that is expected"),
    ],
)
def test_what_does_not_come_whole_is_not_kept(
    place: str, options: dict[str, object], words: str, server: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        fetchers["remote"](f"{server}/{place}?token=hunter2", tmp_path / "in", **options)
    assert left(tmp_path) == []
    assert "hunter2" not in str(caught.value)


def test_the_digest_that_is_expected_is_let_through(server: str, tmp_path: Path) -> None:
    right = hashlib.sha256(ROW.encode()).hexdigest()
    assert fetchers["remote"](f"{server}/a.jsonl", tmp_path / "in", sha256=right).exists()


def test_files_folders_and_globs_of_a_store_keep_their_names(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    store = fsspec.filesystem("memory")
    for name in ("/fetch/de/a.jsonl", "/fetch/de/b.csv", "/fetch/en/a.jsonl"):
        store.pipe(name, ROW.encode())
    one = fetchers["remote"]("memory://fetch/de/a.jsonl", tmp_path / "one")
    assert one == tmp_path / "one" / "a.jsonl"
    assert fetchers["remote"]("memory://fetch", tmp_path / "all") == tmp_path / "all"
    assert left(tmp_path / "all") == ["de/a.jsonl", "de/b.csv", "en/a.jsonl"]
    fetchers["remote"]("memory://fetch/*/a.jsonl", tmp_path / "some")
    assert left(tmp_path / "some") == ["de/a.jsonl", "en/a.jsonl"]
    with pytest.raises(BadInput, match="larger"):
        fetchers["remote"]("memory://fetch", tmp_path / "small", max_bytes=len(ROW) + 1)
    with pytest.raises(BadInput):
        fetchers["remote"]("memory://fetch/none.jsonl", tmp_path / "none")
    with pytest.raises(BadInput, match="chains"):
        fetchers["remote"]("memory://a::file://b", tmp_path / "chain")
    store.rm("/fetch", recursive=True)


def test_a_file_on_this_machine_has_an_address_too(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    (tmp_path / "a.jsonl").write_text(ROW)
    path = fetchers["remote"](f"file://{tmp_path}/a.jsonl", tmp_path / "in")
    assert path.read_text() == ROW


# ── sql ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def shop(tmp_path: Path) -> str:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("CREATE TABLE t (id INTEGER, body TEXT, reply BLOB, paid NUMERIC, at TEXT)")
        made.executemany(
            "INSERT INTO t VALUES (?, ?, ?, ?, ?)",
            [(1, "Open at 12:30?", b"Yes.", 1.5, "2026-01-02"), (2, "Größe?", b"\xff\xfe", None, None)],
        )
    return f"sqlite:///{path}"


QUERY = "SELECT id, body AS question, reply AS answer, paid FROM t WHERE body <> ':x' ORDER BY id"


def test_rows_of_a_query_become_json_lines_in_its_order(shop: str, tmp_path: Path) -> None:
    path = fetchers["sql"](shop, tmp_path / "in", query=QUERY)
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert rows == [
        {"id": 1, "question": "Open at 12:30?", "answer": "Yes.", "paid": 1.5},
        {"id": 2, "question": "Größe?", "answer": None, "paid": None},
    ]
    found = list(sources[pick(path)](path, source="s", licence="MIT", file="f"))
    assert [f.origin.line for f in found] == [1, 2]
    path = fetchers["sql"](shop, tmp_path / "few", query=QUERY, max_rows=1)
    assert len(path.read_text("utf-8").splitlines()) == 1


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "needs a query"),
        ("DELETE FROM t", "does not begin with SELECT"),
        ("/* SELECT */ DROP TABLE t", "does not begin with SELECT"),
        ("/**/" * 40 + "x", "does not begin with SELECT"),
        ("SELECT * FROM nowhere", "no such table"),
        ("SELECT 1 AS a, 2 AS a", "two columns"),
        ("SELECT 1; DELETE FROM t", "did not answer"),
        ("WITH x AS (SELECT 1) DELETE FROM t", "did not answer"),
    ],
)
def test_a_query_that_is_no_reading_is_refused_and_changes_nothing(
    query: str, words: str, shop: str, tmp_path: Path
) -> None:
    with pytest.raises(TunewrightError, match=words) as caught:
        fetchers["sql"](shop, tmp_path / "in", query=query)
    assert caught.value.hint
    assert left(tmp_path) == ["shop.db"]
    with closing(sqlite3.connect(tmp_path / "shop.db")) as made:
        assert made.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_a_password_is_in_no_error(tmp_path: Path) -> None:
    for uri in (
        "postgresql+psycopg://ann:hunter2@127.0.0.1:1/d?connect_timeout=1",
        "nonsense+x://ann:hunter2@h/d",
        "sqlite:////gone/hunter2.db?password=hunter2",
    ):
        with pytest.raises(TunewrightError) as caught:
            fetchers["sql"](uri, tmp_path / "in", query="SELECT 1")
        if "sqlite" not in uri:
            assert "hunter2" not in f"{caught.value}{caught.value.hint}{caught.value.__cause__}"
    assert left(tmp_path) == []


def test_values_of_databases_keep_every_digit() -> None:
    from tunewright.fetchers.sql import plain

    assert plain(Decimal("12.50")) == "12.50"
    assert plain(date(2026, 1, 2)) == "2026-01-02"
    assert plain(b"caf\xc3\xa9") == "café"
    assert plain(b"\xff") is None
    assert plain(float("nan")) is None
    assert plain({"a": [Decimal("1")]}) == {"a": ["1"]}


# ── hub ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_pinned_dataset_of_the_hub_brings_its_training_rows_and_no_code(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    path = fetchers["hub"](f"hub:team/set@{COMMIT}", tmp_path / "in", endpoint=server)
    assert left(path) == ["data/train-0.jsonl"]
    assert (path / "data" / "train-0.jsonl").read_text() == ROW
    fetchers["hub"](f"hub:team/set@{COMMIT}", tmp_path / "all", split="", endpoint=server)
    assert left(tmp_path / "all") == ["data/test-0.jsonl", "data/train-0.jsonl"]
    with pytest.raises(BadInput, match="no files of rows that fit"):
        fetchers["hub"](f"hub:team/set@{COMMIT}", tmp_path / "no", files="*.parquet", endpoint=server)


def test_an_unpinned_dataset_is_refused_with_the_commit_it_is_today(server: str, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    for uri in ("hub:team/set", "hub:team/set@main"):
        with pytest.raises(BadInput) as caught:
            fetchers["hub"](uri, tmp_path / "in", endpoint=server)
        assert f"hub:team/set@{COMMIT}" in caught.value.hint


def test_a_hub_that_is_out_of_reach_is_said_to_be(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    with pytest.raises(BadInput, match="not pinned") as caught:
        fetchers["hub"]("hub:team/set", tmp_path / "in", endpoint="http://127.0.0.1:1")
    assert "40 digits" in caught.value.hint
    with pytest.raises(TunewrightError, match="could not be reached"):
        fetchers["hub"](f"hub:team/set@{COMMIT}", tmp_path / "in", endpoint="http://127.0.0.1:1")
    with pytest.raises(BadInput, match="does not read"):
        fetchers["hub"]("hub:../../x@y", tmp_path / "in")


def test_files_of_the_hub_are_chosen_by_split_and_name() -> None:
    pytest.importorskip("huggingface_hub")
    from tunewright.fetchers.hub import chosen

    names = [
        "README.md",
        "x.py",
        "de/train.parquet",
        "de/validation.parquet",
        "dataset_info.json",
        ".git/a.json",
    ]
    assert chosen(names, "", "train") == ["de/train.parquet"]
    assert chosen(names, "", "validation") == ["de/validation.parquet"]
    assert chosen(names, "", "") == ["de/train.parquet", "de/validation.parquet"]
    assert chosen(names, "de/*", "") == ["de/train.parquet", "de/validation.parquet"]
    assert chosen(["a.jsonl", "b.csv"], "", "train") == ["a.jsonl", "b.csv"]
