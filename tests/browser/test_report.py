"""The HTML report, in a real browser: it shows itself, and asks nobody for anything."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import tunewright as tw

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or ""
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
]

pytestmark = pytest.mark.browser


@pytest.fixture
def browse(tmp_path: Path) -> Callable[..., str]:
    """Opens a page and gives what the browser wrote."""
    if not BROWSER:
        assert not os.environ.get("CI"), "CI needs a browser: apt-get install chromium"
        pytest.skip("no browser here: apt-get install chromium")

    def run(page: Path, *flags: str) -> str:
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = [BROWSER, *QUIET, profile, *flags, page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout

    return run


@pytest.fixture
def report(project: tw.Project) -> Path:
    """The report of a whole run with the echo fakes."""
    list(tw.run(project))
    return project.out / "report.html"


def test_the_report_is_read_as_a_page_with_plots_and_tables(report: Path, browse: Callable[..., str]) -> None:
    seen = browse(report, "--dump-dom")
    assert re.search(r"<h1[^>]*>.*shop", seen, re.S)
    assert seen.count("<svg") >= 3
    assert seen.count("<table") >= 3
    assert "IMPROVED" in seen
    assert "Limits" in seen or "cannot see" in seen


def test_the_report_asks_no_other_place_for_anything(
    report: Path, browse: Callable[..., str], tmp_path: Path
) -> None:
    log = tmp_path / "net.json"
    browse(report, f"--log-net-log={log}", "--dump-dom")
    asked = re.findall(r'"url":"https?://([^"/:]+)', log.read_text(encoding="utf-8", errors="replace"))
    own = ("google.com", "googleapis.com", "gvt1.com")  # the browser's own start-up calls, which fail offline
    assert [host for host in asked if not host.endswith(own)] == []


@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_is_painted_at_the_width_of_a_phone_and_of_a_laptop(
    report: Path, browse: Callable[..., str], tmp_path: Path, width: int
) -> None:
    picture = tmp_path / "page.png"
    browse(report, f"--window-size={width},900", f"--screenshot={picture}")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000  # a blank page is a tenth of that
