import html.parser
import json
import re

import pytest

from mtl_dm.reporting import Baselines, read_cells, write_html
from mtl_dm.reporting.page.curves import _apart
from mtl_dm.reporting.page.markup import inline, table
from mtl_dm.reporting.page.svg import Scale, padded, ticks
from mtl_dm.runs.evidence import read_evidence
from tests.reporting import fake_evidence
from tests.reporting.fake_run import COLUMN, ROWS, cell, spec, write
from tests.runs.test_damaged import with_leaves

ALL = [cell(row, seed) for row in ROWS for seed in range(3)]
VOID = {"meta", "link", "img", "br", "path", "line", "rect", "circle"}


class Reader(html.parser.HTMLParser):
    """Checks that tags close, and collects what a browser would load, and the visible text."""

    def __init__(self):
        super().__init__()
        self.open, self.loads, self.ids, self.links, self.tags, self.words = [], [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self.loads += [values[name] for name in ("src", "srcset", "data") if name in values]
        if tag == "link":
            self.loads.append(values["href"])
        if tag == "a":
            self.links.append(values["href"])
        if "id" in values:
            self.ids.append(values["id"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open or tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words))


def page(folder, *cells, **changes):
    return write_html(write(folder, *cells), spec(**changes)).read_text(encoding="utf-8")


def read(text):
    # Rectangles and paths hold a tooltip and close like other tags.
    reader = Reader()
    text = re.sub(r"</(rect|path|circle)>", "", text)
    reader.feed(text)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """The page of three rows and seeds with evidence, as text and read."""
    folder = tmp_path_factory.mktemp("page")
    for row in ROWS:
        for seed in range(3):
            content = fake_evidence.evidence(coupled=row.startswith("C MT"))
            fake_evidence.write(folder, row, seed, content=content)
    text = page(folder, *ALL)
    return text, read(text)


def test_one_file_that_loads_nothing(full):
    text, reader = full
    assert "<script" not in text
    assert "url(" not in text
    assert "@import" not in text
    assert reader.loads
    assert all(address.startswith("data:") for address in reader.loads)
    assert not re.search(r'(src|href)="(?!#|data:)', text)
    assert "default-src 'none'" in text


def test_every_link_has_its_target(full):
    _, reader = full
    assert reader.links
    assert {link.removeprefix("#") for link in reader.links} <= set(reader.ids)
    assert len(set(reader.ids)) == len(reader.ids)


def test_sections_in_order(full):
    text, _ = full
    titles = re.findall(r"<h3>(.*?)</h3>", text)
    assert titles == [
        "Findings",
        "Measured beside published",
        "Who gains, who loses",
        "Learning curves",
        "Label by label",
        "Relatedness: prior and implied",
        "Calibration",
        "Sample predictions",
        "How this was made",
    ]
    assert "Nothing to draw" not in text
    assert "evidence file" not in text


def test_states_what_it_is(full):
    text, reader = full
    assert "Preset demo. Synthetic data (synthetic_faces (synthetic)): generated." in reader.text
    assert "Command: make reproduce-table2" in reader.text
    assert "keras 3.1" in reader.text
    assert text.count("<h1>") == 1


def numbers(text, place=0):
    """The heads of a table of the page, and row -> its cells."""
    body = re.findall(r'<table class="main">.*?</table>', text)[place]
    lines = [
        [re.sub(r"<[^>]+>", "", cell).replace("\N{NO-BREAK SPACE}", " ") for cell in cells]
        for line in re.findall(r"<tr>.*?</tr>", body)
        if (cells := re.findall(r"<t[hd].*?</t[hd]>", line))
    ]
    return lines[0], lines[1], {line[0]: line[1:] for line in lines[2:]}


def test_measured_with_intervals_beside_published(full):
    # The numbers of test_report, derived there; the paper prints 33.7 / 52.0 and 35.9 / 49.9.
    text, _ = full
    paper = "Aff-Wild2 / TMIF-FEA"
    tops, heads, rows = numbers(text)
    assert tops == ["row", "expression accuracy", "action units f1", "expression f1", "Δm (%)", ""]
    assert heads == ["measured", "measured", paper, paper, "measured", paper, "n"]
    assert rows["1ST"] == ["51.0 ± 2.5", "41.0 ± 2.5", "49.9", "35.9", "—", "—", "3"]
    change = "+0.0 ± 0.1"
    assert rows["2NC MT"] == ["46.0 ± 2.5", "45.0 ± 2.5", "52.0", "33.7", change, "-1.0", "3"]
    assert '<td class="printed">52.0</td>' in text
    assert "Shaded: published, not measured here" in full[1].text


def test_all_metrics_are_folded_below_the_published_ones(full):
    text, _ = full
    tops, heads, rows = numbers(text, 1)
    assert (tops, heads) == (
        ["row", "expression", "action units", "Δm (%)", ""], ["accuracy", "f1", "", "n"]
    )  # fmt: skip
    assert rows["1ST"] == ["51.0 ± 2.5", "41.0 ± 2.5", "—", "3"]
    assert text.index("<summary>All metrics</summary>") < text.rindex('<table class="main">')


def test_without_published_numbers_the_metrics_stand_open(tmp_path):
    text = page(tmp_path, *ALL, published_columns={})
    assert "All metrics" not in text
    assert "<h3>Measured</h3>" in text
    assert text.count('<table class="main">') == 1


def test_the_paper_may_call_a_task_otherwise(tmp_path):
    cells = [cell(row) for row in ROWS]
    for each in cells:
        each["metrics"]["classes"] = {"f1": 0.25}
    text = page(
        tmp_path,
        *cells,
        main_metrics={"classes": ["f1"], "action_units": ["f1"]},
        published_tasks={"classes": "expression"},
    )
    tops, heads, rows = numbers(text)
    assert tops[:3] == ["row", "classes f1", "action units f1"]
    assert heads[:2] == ["measured", "Aff-Wild2 / TMIF-FEA"]
    assert rows["1ST"][:2] == ["25.0", "35.9"]


def test_what_is_decided_comes_first(full):
    text, reader = full
    assert text.index('<div class="decided">') < text.index('class="statement')
    assert reader.text.index("Decided (3 seeds") < reader.text.index("Preset demo")


def test_one_seed_decides_nothing(tmp_path):
    reader = read(page(tmp_path, *[cell(row) for row in ROWS]))
    assert "One seed decides nothing: there is no interval" in reader.text
    assert "What is not decided" in reader.text


def test_change_plot_marks_the_quadrant_and_the_intervals(full):
    text, _ = full
    assert 'class="gain"' in text
    assert "C MT (DM): expression accuracy +10.0 ± 0.0, action_units f1 -30.0 ± 0.0" in text


def test_rows_may_start_from_single_task_rows_of_their_own(tmp_path):
    cells = [cell(row, seed) for row in ROWS for seed in (0, 1)]
    own = {"NC MT": Baselines("ST"), "C MT (DM)": Baselines(), "ST": Baselines("C MT (DM)")}
    text = page(tmp_path, *cells, baselines=own)
    assert "Change against the single-task row of each" in text
    # ST - C MT (DM), and no point at the origin.
    assert "ST: expression accuracy -10.0 ± 0.0, action_units f1 +30.0 ± 0.0" in text
    assert text.count("<circle") == 2
    assert "change against C MT (DM) and ST, whichever a row is compared with" in text


def test_no_curve_through_a_loss_that_is_not_finite(full):
    text, _ = full
    assert "NC MT: 1.5 at the end" in text
    assert "NC MT: 1 at the end" in text  # The second epoch is not finite.


def test_heat_maps(full):
    text, reader = full
    assert "P(AU2 | fear) = 1.000" in text
    assert text.count("<h5>prior</h5>") == 1
    # |implied - observed|: 0.5, 0, -, 0.5, 0.5, 0 -> 30 points; |implied - prior|: 0.5, 0.25, 0,
    # 0.5, 0.5, - -> 35; |prior - observed|: 0, 0.25, -, 0, 0, - -> 6.
    assert "implied: 30 points from the test labels on average, 35 points from the prior" in (
        reader.text
    )
    assert "prior: 6 points from the test labels" in reader.text
    assert "not annotated in training (AU9)" in reader.text


def test_calibration(full):
    text, reader = full
    assert "ECE 12.3 points" in reader.text
    # Repeats are pooled: 3 x 5 statements.
    assert "says 0.80, comes true 0.60, 15 statements" in text


def test_samples_wrong_first_and_of_one_repeat(full):
    text, reader = full
    assert re.findall(r'"card sample (\w+)"', text) == ["wrong", "right"] * len(ROWS)
    assert "✗ wrongsays fear 90%is anger 5%" in reader.text
    assert "action_units AU4: missed, 10%" in text
    assert "action_units AU9: false, 70%" in text
    assert "licence" not in reader.text


def test_base_rates(full):
    text, reader = full
    assert "AU10base rate 50.0" in reader.text
    # A track of 140 from 20 on. Base rate 0.1: 34; always yes there, 0.2 / 1.1: 45.5.
    assert 'x1="34" y1="0" x2="34" y2="51" class="rate"' in text
    assert 'x1="45.5" y1="0" x2="45.5" y2="51" class="yes"' in text
    assert reader.text.index("AU2base") < reader.text.index("AU10base")


def test_the_same_files_give_the_same_bytes(full, tmp_path):
    assert page(tmp_path, *ALL) == page(tmp_path, *ALL)


def test_without_evidence_the_sections_say_so(tmp_path):
    reader = read(page(tmp_path, *[cell(row) for row in ROWS]))
    assert reader.text.count("Nothing to draw") == 4
    assert f"samples for {', '.join(ROWS)}: these cells have no evidence file" in reader.text
    assert "One seed: no confidence interval" in reader.text


def test_rows_without_evidence_are_named(tmp_path):
    fake_evidence.write(tmp_path, "ST")
    reader = read(page(tmp_path, *[cell(row) for row in ROWS]))
    assert "samples for NC MT, C MT (DM): these cells" in reader.text


def test_evidence_of_features_has_no_samples(tmp_path):
    content = fake_evidence.evidence(samples=[], relatedness=None)
    fake_evidence.write(tmp_path, "ST", content=content)
    assert read(page(tmp_path, cell("ST"))).text.count("Nothing to draw") == 2


def test_nothing_measured(tmp_path):
    reader = read(page(tmp_path))
    assert "Nothing has been measured yet" in reader.text
    assert "No cell of this column is finished" in reader.text


def test_real_images_keep_their_licence(tmp_path):
    fake_evidence.write(tmp_path, "ST")
    assert "Its licence holds for this page" in page(tmp_path, cell("ST", dataset="cad (real)"))


def test_weights_and_gradients_are_drawn_where_they_were_logged(tmp_path):
    fake_evidence.write(tmp_path, "ST")
    assert "Weights and gradients" not in page(tmp_path, cell("ST"))
    content = fake_evidence.evidence()
    content["history"][0]["balance"] = {
        "expression_weight": [1.0, 0.5],
        "expression_and_action_units_cosine": [0.25, -0.5],
    }
    fake_evidence.write(tmp_path, "ST", content=content)
    text = page(tmp_path, cell("ST"))
    assert "Weights and gradients" in text
    assert "expression and action units cosine" in text
    assert "ST: -0.5 at the end" in text


def test_text_is_escaped(tmp_path):
    bad = '<script>alert("1")</script>'
    content = fake_evidence.evidence()
    content["samples"][0]["tasks"]["action_units"]["probabilities"] = {bad: 0.5}
    content["samples"][0]["image"] = f'data:,"{bad}'
    content["relatedness"]["classes"][0] = bad
    content["history"][0]["terms"][bad] = [1.0, 2.0]
    content["calibration"][bad] = fake_evidence.calibration("multiclass")
    record = {"command": bad, "commit": bad, "versions": {bad: bad}}
    metrics = {"expression": {"accuracy": 0.5}, "action_units": {"f1": 0.5, f"f1/{bad}": 0.1}}
    row = f"row {bad}"
    one = cell("ST", column=bad, record=record, dataset=f"{bad} (real)", metrics=metrics)
    path = fake_evidence.write(tmp_path, "ST", content=content, column=bad)
    named = json.loads(path.read_text("utf-8")) | {"row": row}
    path.write_text(json.dumps(named), encoding="utf-8")
    text = page(
        tmp_path,
        one | {"row": row},
        title=bad,
        intro=bad,
        notes=[bad, f"`{bad}`"],
        columns=[bad],
        rows=[row, "NC MT"],
        baseline_row=row,
        command=bad,
        published_columns={},
    )
    reader = read(text)
    assert "script" not in reader.tags
    assert "<script" not in text
    assert reader.text.count(bad) > 15


def test_damaged_and_foreign_evidence_is_left_out(tmp_path):
    folder = write(tmp_path, cell("ST"))
    fake_evidence.write(folder, "ST").write_text("{", encoding="utf-8")
    fake_evidence.write(folder, "NC MT")  # Its cell is not there.
    cells, damaged = read_cells(folder)
    assert (len(cells), damaged) == (1, [])
    contents, damaged = read_evidence(folder, cells)
    assert contents == {}
    assert damaged == ["cells/any name/ST0None.evidence.json"]
    assert "ST0None.evidence.json" in page(folder, cell("ST"))


def test_evidence_follows_its_repeat(tmp_path):
    cells = [cell("ST", seed, fold) for seed in (1, 0) for fold in (1, 0)]
    for number, each in enumerate(cells):
        content = fake_evidence.evidence(samples=[number])
        fake_evidence.write(tmp_path, "ST", each["seed"], each["fold"], content)
    found = read_evidence(write(tmp_path, *cells), read_cells(tmp_path).cells).contents
    assert [content["samples"] for content in found[(COLUMN, "ST")]] == [[3], [2], [1], [0]]


@pytest.mark.parametrize(
    ("markdown", "markup"),
    [
        ("a < b & `x < 1`", "a &lt; b &amp; <code>x &lt; 1</code>"),
        ("**bold** `**code**`", "<strong>bold</strong> <code>**code**</code>"),
        ("one ` tick", "one ` tick"),
        ("by 1.0 ± 0.2", "by 1.0\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}0.2"),
    ],
)
def test_inline(markdown, markup):
    assert inline(markdown) == markup


def test_table_marks_intervals():
    markup = table([["row", "x"], ["a", "1.0 ± 0.2 (n=2)"]])
    assert '1.0<small class="pm">\N{NO-BREAK SPACE}± 0.2</small> (n=2)' in markup


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.25, 0.5, 0.75, 1]), (-7, 12, [-5, 0, 5, 10]), (3, 3, [3]), (0.1, 0.12, None)],
)
def test_ticks(low, high, expected):
    found = ticks(low, high)
    assert all(low <= tick <= high for tick in found)
    assert 1 <= len(found) <= 6
    if expected:
        assert found == pytest.approx(expected)


def test_padded_is_never_empty():
    for values in ([0.0], [2.0, 2.0], [1.0, 3.0]):
        low, high = padded(values)
        assert low < min(values) <= max(values) < high
    assert Scale(0, 10, 100, 0)(2.5) == 75


def test_line_ends_are_moved_apart_inside_the_panel():
    assert _apart([10, 11, 50], 0, 100) == [10, 22, 50]
    assert _apart([95, 96, 97], 0, 100) == [76, 88, 100]
    assert _apart([], 0, 100) == []


def test_chosen_thresholds_stand_beside_one_half(tmp_path):
    lines = [cell(row) for row in ROWS]
    for line in lines:
        line["metrics"]["action_units"]["f1_tuned"] = 0.55
    main = {"expression": ["accuracy"], "action_units": ["f1", "f1_tuned"]}
    text = page(tmp_path, *lines, main_metrics=main)
    assert '<th scope="col">f1</th><th scope="col">f1 tuned</th>' in text
    assert "never on the test data" in read(text).text


@pytest.mark.parametrize("leaf", [[], {"a": 1}, "x", 10**400, None], ids=lambda leaf: str(leaf)[:9])
def test_evidence_of_other_types_is_left_out_and_named(tmp_path, leaf):
    content = with_leaves(fake_evidence.evidence(), leaf)
    fake_evidence.write(tmp_path, ROWS[0], content=content)
    text = page(tmp_path, *ALL)
    read(text)
    if leaf is not None:  # Nothing is known: a value that is missing may be drawn as such.
        assert "Damaged files, left out (1)" in text
