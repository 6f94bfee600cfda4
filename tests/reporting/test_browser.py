"""The page in a browser without a display: quiet at any width and in both schemes."""

import json
import re
import shutil

import cv2
import pytest

from mtl_dm.reporting import write_html
from tests.progress import run
from tests.reporting import fake_evidence
from tests.reporting.fake_run import ROWS, cell, spec, write

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome in PATH")
DARK, LIGHT = 0, 1


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    for row in ROWS:
        fake_evidence.write(folder, row)
    return write_html(write(folder, *[cell(row, s) for row in ROWS for s in (0, 1)]), spec())


def browse(page, tmp_path, *options, width=1280, scheme=LIGHT):
    """Return (document, messages) of a browser that opens the page."""
    output, errors = run(
        [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=2000",
            "--enable-logging=stderr", "--v=0", f"--user-data-dir={tmp_path / 'profile'}",
            f"--window-size={width},1600", f"--blink-settings=preferredColorScheme={scheme}",
            *options, page.as_uri(),
        ]
    )  # fmt: skip
    return output, [line for line in errors.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize(("width", "scheme"), [(400, DARK), (1280, LIGHT)])
def test_renders_without_a_word_on_the_console(page, tmp_path, width, scheme):
    picture = tmp_path / "page.png"
    _, messages = browse(page, tmp_path, f"--screenshot={picture}", width=width, scheme=scheme)
    assert messages == []
    pixels = cv2.imread(str(picture))
    assert pixels.shape == (1600, width, 3)
    assert pixels.std() > 10  # Something is drawn.
    corner = pixels[-5:, :5].mean()
    assert corner < 60 if scheme == DARK else corner > 200


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_sticks_out_of_the_page(page, tmp_path, width):
    # A copy may run scripts, to be measured by the browser itself.
    measure = (
        "<script>document.title = JSON.stringify({page: document.documentElement.scrollWidth, "
        "window: innerWidth, broken: [...document.images].filter(i => !i.naturalWidth).length, "
        "images: document.images.length})</script></body>"
    )
    text = re.sub(r'<meta http-equiv="Content-Security-Policy".*?>', "", page.read_text("utf-8"))
    copy = tmp_path / "copy.html"
    copy.write_text(text.replace("</body>", measure), encoding="utf-8")
    document, messages = browse(copy, tmp_path, "--dump-dom", width=width)
    assert messages == []
    title = re.search(r"<title>({.*?})</title>", document)[1]
    found = json.loads(title.replace("&quot;", '"'))
    assert found["page"] <= found["window"]
    assert found["images"] == 2 * len(ROWS)
    assert found["broken"] == 0


def test_the_policy_stops_what_the_page_does_not_need(page, tmp_path):
    # That a violation reaches the console shows that silence means something.
    loud = tmp_path / "loud.html"
    image = '<img src="http://localhost:9/x.png"><script>1</script></main>'
    loud.write_text(page.read_text("utf-8").replace("</main>", image), encoding="utf-8")
    _, messages = browse(loud, tmp_path, "--dump-dom")
    assert any("Content Security Policy" in line for line in messages)
