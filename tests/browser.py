"""Pages in a real browser: Chromium without a window, and a script that uses the page.

The script runs in a copy of the page, after the page's own; what it gives to `tell` comes back.
"""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: make chromium")

_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-extensions"),
    *("--hide-scrollbars", "--window-size=1200,900", "--virtual-time-budget=30000", "--dump-dom"),
)

_BEFORE = """<script>
window.faults = [];
addEventListener("error", (event) => faults.push(event.message || "an element"), true);
</script>"""

_AFTER = """<script>
// In a scope of its own: pages have names like these.
(() => {{
const wait = (ready) => new Promise((done, fail) => {{
  let left = 200;
  const late = () => fail(Error("waited for " + ready));
  const look = () => ready() ? done() : left-- ? setTimeout(look, 20) : late();
  look();
}});
const press = (key) => dispatchEvent(new KeyboardEvent("keydown", {{ key, bubbles: true }}));
const names = () => performance.getEntriesByType("resource").map((e) => e.name);
const asked = () => names().filter((name) => !name.startsWith("data:"));
const use = async () => {{ {script} }};
const tell = (value) => {{
  const pre = document.createElement("pre");
  pre.id = "told"; pre.textContent = JSON.stringify(value); document.body.append(pre);
}};
addEventListener("load", async () => {{
  try {{ const value = await use(); tell({{ value, faults, asked: asked() }}); }}
  catch (error) {{ tell({{ fault: String(error), faults }}); }}
}});
}})();
</script>"""


def use_page(page: Path, script: str, tmp_path: Path) -> dict[str, Any]:
    """What a script returns that uses a page, with `faults` (errors of the page and pictures that
    do not load) and `asked` (what the page asked for, beside data within it).

    script: the body of an async function; `wait(condition)`, `press(key)` are there. The page's own
    policy, which would keep foreign scripts out, is taken off; it has a test of its own.
    """
    assert CHROMIUM is not None
    text = page.read_text(encoding="utf-8")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', _BEFORE, text)
    copy = tmp_path / f"used-{page.name}"
    copy.write_text(text.replace("</body>", _AFTER.format(script=script) + "</body>"))
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    run = subprocess.run(
        [CHROMIUM, *_OPTIONS, profile, copy.as_uri()],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    found = re.search(r'<pre id="told">(.*?)</pre>', run.stdout, re.S)
    assert found is not None, run.stderr[-2000:]
    told: dict[str, Any] = json.loads(html.unescape(found[1]))
    assert "fault" not in told, told
    return told
