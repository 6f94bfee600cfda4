"""The site builds without a warning, tutorials as they stand, and its links lead somewhere."""

import importlib.util
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.progress import run

ROOT = Path(__file__).parents[2]
NEEDED = ("sphinx", "myst_nb", "furo")


class Links(HTMLParser):
    """What a page links or loads, and what of it can be linked."""

    def __init__(self, path):
        super().__init__()
        self.targets, self.anchors = set(), set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.anchors |= {found["id"]} if found.get("id") else set()
        self.targets |= {found[name] for name in ("href", "src") if found.get(name)}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built pages; in a copy, for the build writes the reference beside the pages."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"the site needs {', '.join(missing)}: pip install -e '.[dev]'")
    root = tmp_path_factory.mktemp("site")
    unwanted = shutil.ignore_patterns("_build", "generated", "__pycache__")
    shutil.copytree(ROOT / "docs", root / "docs", ignore=unwanted)
    for name in ("README.md", "data_prep", "experiments", "mtl_dm"):
        (root / name).symlink_to(ROOT / name)
    build = ["-q", "--fail-on-warning", "--keep-going", "-D", "nb_execution_mode=off"]
    run([sys.executable, "-m", "sphinx", *build, str(root / "docs"), str(root / "html")])
    return (root / "html").resolve()


def test_links_and_anchors_are_there(site):
    pages = {path: Links(path) for path in site.rglob("*.html")}
    assert len(pages) > 60
    broken = set()
    for path, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchors = pages[there].anchors if there in pages else {parts.fragment}
            if not there.is_file() or (parts.fragment and unquote(parts.fragment) not in anchors):
                broken.add(f"{path.relative_to(site)}: {target}")
    assert not broken


def test_nothing_is_fetched_from_elsewhere(site):
    page = (site / "index.html").read_text(encoding="utf-8")
    loaded = [line for line in page.splitlines() if "<script" in line or 'rel="stylesheet"' in line]
    assert loaded
    assert not [line for line in loaded if "//" in line]
