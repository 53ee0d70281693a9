"""The folder is the registry."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tunewright.errors import BadInput, Missing, NotFound
from tunewright.shelf import EXTRAS, Shelf, missing

PLUGINS = {
    "plain.py": '''
def plain(text: str, *, times: int = 1, loud: bool = False) -> str:
    """Says it again.

    More about that.

    Limits: says nothing
    new.

    Not part of the limits.
    """
    return (text.upper() if loud else text) * times
''',
    "needs_torch.py": "import torch.not_there_at_all\n",
    "needs_stranger.py": "import a_module_that_nobody_wrote\n",
    "broken.py": "raise RuntimeError('this plugin is broken')\n",
    "nameless.py": "def another() -> None: ...\n",
    "_own.py": "raise RuntimeError('nobody should import this')\n",
}

Plugin = Callable[..., object]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf[Plugin]]:
    root = tmp_path_factory.mktemp("shelf")
    (root / "toys_for_tests").mkdir()
    (root / "toys_for_tests" / "__init__.py").write_text("")
    for name, text in PLUGINS.items():
        (root / "toys_for_tests" / name).write_text(text)
    sys.path.insert(0, str(root))
    yield Shelf("toys_for_tests")
    sys.path.remove(str(root))


def test_listing_names_every_file_and_imports_none(shelf: Shelf[Plugin]) -> None:
    assert list(shelf) == ["broken", "nameless", "needs_stranger", "needs_torch", "plain"]
    assert not any(name.startswith("toys_for_tests.") for name in sys.modules if "plain" not in name)


def test_taking_gives_the_function_of_the_same_name(shelf: Shelf[Plugin]) -> None:
    assert shelf["plain"]("ab", times=2, loud=True) == "ABAB"
    assert "plain" in shelf
    assert "_own" not in shelf
    assert 7 not in shelf


def test_a_wrong_name_gets_the_nearest(shelf: Shelf[Plugin]) -> None:
    with pytest.raises(NotFound, match="nothing called 'plan' on the shelf toys_for_tests") as raised:
        shelf["plan"]
    assert raised.value.hint == "did you mean plain?"
    with pytest.raises(NotFound) as raised:
        shelf["zzz"]
    assert "there are: broken, nameless" in raised.value.hint


@pytest.mark.parametrize("name", ["_own", "../plain", "os.system", "toys_for_tests.plain", "plain.plain", ""])
def test_only_names_on_the_shelf_can_be_taken(shelf: Shelf[Plugin], name: str) -> None:
    with pytest.raises(NotFound):
        shelf[name]


def test_a_plugin_whose_library_is_not_installed_says_how_to_install_it(shelf: Shelf[Plugin]) -> None:
    with pytest.raises(Missing, match="toys_for_tests/needs_torch needs torch") as raised:
        shelf["needs_torch"]
    assert raised.value.hint == "pip install 'tunewright[train]'"
    with pytest.raises(Missing, match="needs a_module_that_nobody_wrote") as raised:
        shelf["needs_stranger"]
    assert raised.value.hint == "pip install a_module_that_nobody_wrote"


def test_a_broken_plugin_fails_loudly(shelf: Shelf[Plugin]) -> None:
    with pytest.raises(RuntimeError, match="this plugin is broken"):
        shelf["broken"]
    with pytest.raises(AttributeError, match="nameless"):
        shelf["nameless"]


def test_options_are_the_keyword_only_parameters(shelf: Shelf[Plugin]) -> None:
    assert list(shelf.options("plain")) == ["times", "loud"]
    shelf.check("plain", {"times": 3})
    with pytest.raises(BadInput, match="toys_for_tests/plain has no option 'time'") as raised:
        shelf.check("plain", {"time": 3})
    assert raised.value.hint == "did you mean times?"
    with pytest.raises(BadInput, match="toys_for_tests/plain has no option 'times'"):
        shelf.check("plain", {"times": 3}, given=("times",))


@pytest.mark.parametrize("value", ["3", 3.5, None, [3], True])
def test_a_value_that_does_not_fit_an_option_is_refused(shelf: Shelf[Plugin], value: object) -> None:
    with pytest.raises(
        BadInput, match="toys_for_tests/plain: option 'times': Input should be a valid integer"
    ):
        shelf.check("plain", {"times": value})


def test_title_and_limits_come_from_the_docstring(shelf: Shelf[Plugin]) -> None:
    assert shelf.about("plain") == ("Says it again.", "says nothing new.")


def test_every_extra_that_is_promised_exists() -> None:
    import tomllib

    pyproject = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    assert set(EXTRAS.values()) <= set(pyproject["project"]["optional-dependencies"])


def test_a_missing_module_inside_a_package_is_traced_to_its_extra() -> None:
    error = ModuleNotFoundError("no", name="transformers.models.llama")
    assert missing(error, "trainers/lora").hint == "pip install 'tunewright[train]'"


def test_a_stranger_adds_a_plugin_by_an_entry_point(tmp_path: Path) -> None:
    info = tmp_path / "stranger-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[tunewright.checks]\nrude = stranger_checks:rude\n")
    (tmp_path / "stranger_checks.py").write_text("def rude(records):\n    'Looks for rude words.'\n")
    code = "from tunewright.checks import checks; print('rude' in list(checks), checks['rude'].__doc__)"
    import os

    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    said = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert said.stdout.split(maxsplit=1) == ["True", "Looks for rude words.\n"], said.stderr
