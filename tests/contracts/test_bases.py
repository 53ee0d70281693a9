"""What every base model promises, and what each refuses."""

import inspect
import json
import shutil
from pathlib import Path

import pytest

from tunewright.bases import bases, find
from tunewright.errors import BadInput, Missing, NotFound, Refused


@pytest.mark.parametrize("name", list(bases))
def test_every_base_says_what_it_is_and_where_it_ends(name: str) -> None:
    title, limits = bases.about(name)
    assert title.endswith(".")
    assert limits.endswith(".")
    assert [p for p in inspect.signature(bases[name]).parameters if p != "home"] == ["address", "cache"]


def test_an_address_without_a_place_says_which_places_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as error:
        find("SmolLM2", home=tmp_path, cache=tmp_path)
    assert "package:" in error.value.hint


def test_echo_gives_the_same_base_every_time(tmp_path: Path) -> None:
    assert find("echo:x", home=tmp_path, cache=tmp_path) == find("echo:x", home=tmp_path, cache=tmp_path)


def test_a_folder_is_used_where_it_is_and_named_by_its_weights(tiny: Path, tmp_path: Path) -> None:
    found = find(f"folder:{tiny}", home=tmp_path, cache=tmp_path)
    assert found.folder == tiny.resolve()
    assert found.base.parameters > 10_000
    assert found.base.licence == "NOASSERTION"
    copy = shutil.copytree(tiny, tmp_path / "copy")
    assert find("folder:copy", home=tmp_path, cache=tmp_path).folder == copy.resolve()
    (copy / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\n# A model\n")
    again = find(f"folder:{copy}", home=tmp_path, cache=tmp_path)
    assert again.base.licence == "Apache-2.0"
    assert again.base.sha256 == found.base.sha256


def test_a_pickle_is_refused_and_so_is_code(tiny: Path, tmp_path: Path) -> None:
    pickled = shutil.copytree(tiny, tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(Refused, match="pickle"):
        find(f"folder:{pickled}", home=tmp_path, cache=tmp_path)
    coded = shutil.copytree(tiny, tmp_path / "coded")
    config = json.loads((coded / "config.json").read_text())
    (coded / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "x.Y"}}))
    with pytest.raises(Refused, match="auto_map"):
        find(f"folder:{coded}", home=tmp_path, cache=tmp_path)


@pytest.mark.parametrize("address", ["folder:/no/such/place", "folder:/no/such.gguf", "folder:/x/model.pt"])
def test_a_folder_that_is_not_there_is_bad_input(address: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as error:
        find(address, home=tmp_path, cache=tmp_path)
    assert error.value.hint


def test_a_file_that_only_calls_itself_gguf_is_bad_input_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"hello")
    with pytest.raises(BadInput, match="not a GGUF"):
        find(f"folder:{tmp_path / 'x.gguf'}", home=tmp_path, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_package_that_is_not_installed_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(Missing) as error:
        find("package:no_such_package_here/*.gguf", home=tmp_path, cache=tmp_path)
    assert error.value.hint == "pip install no-such-package-here"


@pytest.mark.parametrize(
    "address", ["package:json", "package:json/*.gguf", "package:../json/x", "package:json/*.py"]
)
def test_a_package_without_that_one_gguf_file_is_bad_input(address: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        find(address, home=tmp_path, cache=tmp_path)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.mark.usefixtures("offline")
def test_without_a_network_the_hub_says_what_to_do_instead(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="could not be reached") as error:
        find("hub:owner/name@main", home=tmp_path, cache=tmp_path)
    assert "folder:" in error.value.hint


@pytest.mark.usefixtures("offline")
def test_without_a_network_a_snapshot_in_the_cache_still_works(tiny: Path, tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    place = tmp_path / "hub" / "models--owner--name"
    shutil.copytree(tiny, place / "snapshots" / commit)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(commit)
    found = find("hub:owner/name", home=tmp_path, cache=tmp_path)
    assert found.base.revision == commit
    assert find(f"hub:owner/name@{commit}", home=tmp_path, cache=tmp_path).folder == found.folder


def test_a_hub_address_is_owner_and_name(tmp_path: Path) -> None:
    for address in ("name", "a/b/c", "a/b@", "/b"):
        with pytest.raises(BadInput):
            find(f"hub:{address}", home=tmp_path, cache=tmp_path)


def test_an_unknown_place_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        find("cellar:model", home=tmp_path, cache=tmp_path)
