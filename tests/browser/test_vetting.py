"""The vetting report and the list of changes in a real browser: they fit, obey nobody, ask for nothing."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import pytest

from tunewright.documents import Vetting, documents

sys.path.insert(0, str(Path(__file__).parents[1]))
from test_vetting_page import edit, evidence, hostile

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
    "--allow-file-access-from-files",
]
OWN = ("google.com", "googleapis.com", "gvt1.com")
"""The browser's own start-up calls, which fail offline."""
PAGES: dict[str, Callable[[], Vetting]] = {"plain": evidence, "hostile": hostile}

pytestmark = pytest.mark.browser


class Browse(Protocol):
    """Opens a page and gives what the browser wrote."""

    def __call__(self, page: Path, *flags: str) -> str: ...


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """A browser with a profile of its own."""
    if not BROWSER:
        assert not os.environ.get("CI"), "CI needs a browser: apt-get install chromium"
        pytest.skip("no browser here: apt-get install chromium")

    def run(page: Path, *flags: str) -> str:
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = [BROWSER, *QUIET, profile, *flags, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    return run


def write(folder: Path, name: str, given: Vetting) -> Path:
    path = folder / f"{name}.html"
    path.write_text(documents[name](given), encoding="utf-8")
    return path


def inside(browse: Browse, page: Path, width: int, script: str) -> dict[str, object]:
    """Load a page in a frame of this width; what the script says of its `document` and `window`."""
    frame = page.with_name("frame.html")
    frame.write_text(
        f'<iframe id="f" src="{page.name}" style="width:{width}px;height:900px;border:0"></iframe>'
        '<pre id="said"></pre>'
        "<script>f.onload=()=>{const document=f.contentDocument,window=f.contentWindow;"
        f"said.textContent=JSON.stringify((()=>{{{script}}})())}}</script>",
        encoding="utf-8",
    )
    seen = browse(frame, "--window-size=1400,1000", "--virtual-time-budget=4000", "--dump-dom")
    said = re.search(r'<pre id="said">(.*?)</pre>', seen, re.S)
    assert said is not None
    assert said[1], "the page did not load"
    return cast(dict[str, object], json.loads(html.unescape(said[1])))


WIDE = """const root=document.documentElement;
return {wide:root.scrollWidth,room:root.clientWidth,
 over:[...document.querySelectorAll('body *')].filter(e=>!e.closest('.scroll,.unseen,svg,thead')
  &&e.getBoundingClientRect().right>root.clientWidth+1).map(e=>e.tagName+'.'+e.className).slice(0,5)}"""


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize("name", ["vetting", "changes"])
def test_nothing_sticks_out_of_the_page_on_a_phone_or_a_laptop(
    name: str, kind: str, width: int, browse: Browse, tmp_path: Path
) -> None:
    said = inside(browse, write(tmp_path, name, PAGES[kind]()), width, WIDE)
    assert said["over"] == []
    assert said["wide"] == said["room"]


@pytest.mark.parametrize("name", ["vetting", "changes"])
def test_hostile_text_starts_nothing_and_asks_nobody(name: str, browse: Browse, tmp_path: Path) -> None:
    log = tmp_path / "net.json"
    seen = browse(write(tmp_path, name, hostile()), f"--log-net-log={log}", "--dump-dom")
    assert "<img" not in seen
    asked = re.findall(r'"url":"https?://([^"/:]+)', log.read_text(encoding="utf-8", errors="replace"))
    assert [host for host in asked if not host.endswith(OWN)] == []


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("name", ["vetting", "changes"])
def test_both_pages_are_painted_in_light_and_dark(
    name: str, scheme: int, browse: Browse, tmp_path: Path
) -> None:
    picture = tmp_path / "page.png"
    page = write(tmp_path, name, evidence())
    flag = f"--blink-settings=preferredColorScheme={scheme}"
    browse(page, flag, "--window-size=1280,900", f"--screenshot={picture}")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000  # a blank page is a tenth of that


CONTRAST = """
const light=c=>{const v=c.map(x=>(x/=255)<=.03928?x/12.92:((x+.055)/1.055)**2.4);
 return .2126*v[0]+.7152*v[1]+.0722*v[2]};
const parts=s=>(s.match(/[\\d.]+/g)||[]).map(Number);
const under=e=>{for(;e;e=e.parentElement){const c=parts(window.getComputedStyle(e).backgroundColor);
 if(c.length===3||c[3]>.99)return c}return [255,255,255]};
const low=[];
for(const e of document.querySelectorAll('body *')){
 if(e.closest('svg,script,style')||![...e.childNodes].some(n=>n.nodeType===3&&n.data.trim()))continue;
 const a=light(parts(window.getComputedStyle(e).color)),b=light(under(e));
 const ratio=(Math.max(a,b)+.05)/(Math.min(a,b)+.05);
 if(ratio<4.5)low.push(e.tagName+'.'+e.className+' '+ratio.toFixed(2));
}
return {low:[...new Set(low)]}"""


@pytest.mark.parametrize("name", ["vetting", "changes"])
@pytest.mark.parametrize("dark", [False, True])
def test_letters_stand_out_from_what_is_behind_them(
    name: str, dark: bool, browse: Browse, tmp_path: Path
) -> None:
    page = write(tmp_path, name, evidence())
    if dark:
        text = page.read_text(encoding="utf-8").replace("prefers-color-scheme:dark", "min-width:1px")
        page.write_text(text.replace("prefers-color-scheme:light", "max-width:1px"), encoding="utf-8")
    assert inside(browse, page, 1280, CONTRAST)["low"] == []


def test_the_list_can_be_filtered_and_gives_a_command(browse: Browse, tmp_path: Path) -> None:
    said = inside(
        browse,
        write(tmp_path, "changes", evidence()),
        1280,
        """
const seen=()=>[...document.querySelectorAll('.change')].filter(e=>e.getClientRects().length).length;
const all=seen(),box=document.getElementById('words');
box.value='ann berg';box.dispatchEvent(new window.Event('input'));
const found=seen();
box.value='';box.dispatchEvent(new window.Event('input'));
document.getElementById('s-waiting').click();
const waiting=seen();
document.querySelector('.change.s-waiting button').click();
return {all,found,waiting,command:document.getElementById('command').value}""",
    )
    assert (said["all"], said["found"], said["waiting"]) == (11, 1, 1)
    assert said["command"] == f"tunewright review --accept {edit(11).change[:10]}"


def test_the_list_is_complete_and_filtered_by_state_without_a_script(browse: Browse, tmp_path: Path) -> None:
    page = write(tmp_path, "changes", evidence())
    text = re.sub(r"<script>.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.S)
    page.write_text(text, encoding="utf-8")
    said = inside(
        browse,
        page,
        1280,
        """
const seen=()=>[...document.querySelectorAll('.change')].filter(e=>e.getClientRects().length).length;
const all=seen();
document.getElementById('s-waiting').checked=true;
return {all,waiting:seen(),bar:document.getElementById('bar').getClientRects().length}""",
    )
    assert said == {"all": 11, "waiting": 1, "bar": 0}
