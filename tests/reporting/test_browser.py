"""The page in a browser without a display: quiet at any width and in both schemes."""

import json
import re
import shutil

import cv2
import pytest

from mtl_dm.reporting import write_html
from tests.progress import run
from tests.reporting import fake_evidence
from tests.reporting.fake_run import COLUMN, ROWS, cell, spec, write

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


MEASURE = """<script>document.title = JSON.stringify({
    page: document.documentElement.scrollWidth,
    window: innerWidth,
    broken: [...document.images].filter(image => !image.naturalWidth).length,
    images: document.images.length,
    tables: [...document.querySelectorAll("table.main")].map(table =>
        [table.parentElement.scrollWidth, table.parentElement.clientWidth]),
})</script></body>"""


def measure(page, tmp_path, width):
    """What a browser measures on a copy of the page that may run scripts."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy".*?>', "", page.read_text("utf-8"))
    copy = tmp_path / "copy.html"
    copy.write_text(
        text.replace("<details>", "<details open>").replace("</body>", MEASURE), encoding="utf-8"
    )
    document, messages = browse(copy, tmp_path, "--dump-dom", width=width)
    assert messages == []
    return json.loads(re.search(r"<title>({.*?})</title>", document)[1].replace("&quot;", '"'))


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_sticks_out_of_the_page(page, tmp_path, width):
    found = measure(page, tmp_path, width)
    assert found["page"] <= found["window"]
    assert found["images"] == 2 * len(ROWS)
    assert found["broken"] == 0


def test_the_widest_tables_need_no_scrolling_sideways(tmp_path):
    # Table 4's three networks with four metrics each, beside ours with intervals.
    main = {"category": ["accuracy", "f1"], "attributes": ["f1", "accuracy", "average_precision"]}
    cells = [cell(row, seed, fold) for row in ROWS for seed in (0, 1) for fold in (0, 1)]
    for each in cells:
        shift = each["seed"] / 10 + each["fold"] / 7
        each["metrics"] = {t: dict.fromkeys(names, 0.4 + shift) for t, names in main.items()}
    plan = spec(
        main_metrics=main,
        published_table="table4",
        published_columns={COLUMN: ["CAD / VGG-16", "CAD / ResNet-50", "CAD / DenseNet-121"]},
        published_tasks={"category": "classes"},
        published_rows={"C MT (DM)": "C MT"},
        per_label=[],
    )
    page = write_html(write(tmp_path, *cells), plan)
    found = measure(page, tmp_path, 1280)
    assert len(found["tables"]) == 4  # Three beside the paper, one of all metrics.
    assert [content for content, box in found["tables"] if content > box] == []


def test_the_policy_stops_what_the_page_does_not_need(page, tmp_path):
    # That a violation reaches the console shows that silence means something.
    loud = tmp_path / "loud.html"
    image = '<img src="http://localhost:9/x.png"><script>1</script></main>'
    loud.write_text(page.read_text("utf-8").replace("</main>", image), encoding="utf-8")
    _, messages = browse(loud, tmp_path, "--dump-dom")
    assert any("Content Security Policy" in line for line in messages)
