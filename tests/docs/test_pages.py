"""The site's pages without building it: what they link, include and name is there."""

import importlib
import re
from pathlib import Path

import pytest

from experiments.coupling import front
from mtl_dm.balancing import BALANCING

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for path in DOCS.rglob("*.md")
    if not {"_build", "generated"} & set(path.relative_to(DOCS).parts)
)
TEXTS = {path: path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *PAGES]}
FENCED = re.compile(r"^(```+).*?^\1$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"\b(?:mtl_dm|experiments|data_prep)(?:\.[A-Za-z_]\w*)+")
SOURCES = ("mtl_dm", "tests", "experiments", "data_prep", "docs")


def names(path):
    return str(path.relative_to(ROOT))


def listed(path):
    """Return the pages in the toctrees of one page."""
    found = set()
    for body in re.findall(r"^```\{toctree\}\n(.*?)^```$", TEXTS[path], re.MULTILINE | re.DOTALL):
        lines = body.splitlines()
        for entry in (line for line in lines if line and not line.startswith(":")):
            found |= set(path.parent.glob(f"{entry}.md"))
    return found


def test_every_page_is_in_a_table_of_contents():
    assert set(PAGES) - {DOCS / "index.md"} == set().union(*(listed(path) for path in PAGES))


def anchors(path):
    heads = re.findall(r"^#+ (.*)$", FENCED.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", TEXTS, ids=names)
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", TEXTS[path])):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), f"{link} is not there"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"


@pytest.mark.parametrize("path", PAGES, ids=names)
def test_what_is_included_is_there(path):
    includes = re.findall(r"^```\{(?:literal)?include\} (\S+)$", TEXTS[path], re.MULTILINE)
    studies = re.findall(r"^```\{study\} (\S+)$", TEXTS[path], re.MULTILINE)
    targets = [path.parent / name for name in includes]
    for target in targets + [ROOT / "experiments" / f"{name}.py" for name in studies]:
        assert target.exists(), target


def resolve(name):
    """Import as much of a dotted name as is a module, and look up the rest."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            fields = getattr(found, "__dataclass_fields__", {})
            assert hasattr(found, part) or part in fields, f"{name}: no {part}"
            found = getattr(found, part, None)
        return
    raise AssertionError(f"{name} cannot be imported")


@pytest.mark.parametrize("path", TEXTS, ids=names)
def test_names_and_files_exist(path):
    for name in set(NAME.findall(TEXTS[path])):
        if name.rsplit(".", 1)[1] not in ("NAME", "css", "ipynb", "py"):
            resolve(name)
    for file in re.findall(rf"`((?:{'|'.join(SOURCES)})/[\w/.-]+)`", TEXTS[path]):
        assert (ROOT / file).exists() or "NAME" in file or "_build" in file, file


@pytest.mark.parametrize("page", ["guide/balancing.md", "tutorials/balancing.md"])
def test_every_balancing_method_is_listed(page):
    shown = set(re.findall(r"`(\w+)(?:\([^`]*\))?`", TEXTS[DOCS / page]))
    assert set(BALANCING) <= shown


def test_readme_is_a_screen_and_a_half():
    assert len(TEXTS[ROOT / "README.md"].splitlines()) <= 110


def test_the_picture_shows_the_tables_of_its_page():
    drawn = front.drawn(front.TABLES.read_text(encoding="utf-8"))
    assert front.PICTURE.read_text(encoding="utf-8") == drawn, (
        "The tables moved on: python -m experiments.coupling.front"
    )


def test_the_picture_reads_numbers_by_row():
    (right, *_) = front.changes(
        "| table, halves | protected | believed |\n|---|---:|---:|\n"
        "| right | +3.5 / 1 / 2 / 3 | **-4.5 / 1 / 2 / 3** |\n"
        + "".join(f"| {name} | 0 / 0 / 0 / 0 | 0 / 0 / 0 / 0 |\n" for name in [*front.ROWS][1:]),
        front.PANELS[0],
    )
    assert right == ("right", 3.5, -4.5)


def test_the_picture_refuses_a_table_without_its_rows():
    with pytest.raises(ValueError, match="table, halves"):
        front.changes("| table, halves | a | b |\n| right | 1 / 1 | 1 / 1 |\n", front.PANELS[0])
