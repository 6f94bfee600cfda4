"""Writes the reference: a page a package with every public name, and tables of what is registered.

The pages go to docs/reference/generated, before Sphinx reads any.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import public
from docutils import nodes
from prose import as_rst, escaped
from sphinx import addnodes
from sphinx.ext import autosummary
from sphinx.util.nodes import make_refnode

from mtl_dm.registry import Registry

FULL = re.compile(r"mtl_dm(\.\w+)+")
GENERATED = Path(__file__).parents[1] / "reference" / "generated"


def title(text: str, line: str = "=") -> list[str]:
    """Return a heading."""
    return [text, line * len(text), ""]


def entries(package: str, names: list[str]) -> list[str]:
    """Return the full names of what is registered in a package without being one of its names."""
    module = importlib.import_module(package)
    known = [getattr(module, name) for name in names]
    found: dict[str, None] = {}
    for registry in (each for each in known if isinstance(each, Registry)):
        for entry in (behind(registry.get(each)) for each in registry):
            name = getattr(entry, "__name__", "")
            place = str(getattr(entry, "__module__", ""))
            if not place.startswith(package) or any(entry is each for each in known):
                continue
            if getattr(importlib.import_module(place), name, None) is entry:
                found[f"{public.kind_of(entry)}:: {place}.{name}"] = None
    return list(found)


def behind(entry: Any) -> Any:
    """Return the function that an entry stands for, such as a coupling form; else the entry."""
    return getattr(entry, "function", entry)


def package_page(package: str) -> str:
    """Return the page of a package that lists its public names: a table, then each in full."""
    names = public.public_names(package)
    module = importlib.import_module(package)
    kinds = {name: public.kind_of(getattr(module, name)) for name in names}
    lines = [*title(package), f".. automodule:: {package}", "   :no-members:", ""]
    listed = [name for name in names if kinds[name] != "module"]
    inner = [name for name in names if kinds[name] == "module"]
    if inner:
        lines += ["Packages: " + ", ".join(f":doc:`{package}.{name}`" for name in inner) + ".", ""]
    lines += [".. currentmodule:: None", "", ".. autosummary::", ""]
    lines += [f"   ~{public.home(package, name)}" for name in listed if kinds[name] != "data"] + [
        ""
    ]
    for name in listed:
        home = public.home(package, name)
        if home != f"{package}.{name}":
            lines += [f":py:obj:`{package}.{name} <{home}>` is described there.", ""]
        elif kinds[name] == "data":
            lines += value(package, name, getattr(module, name))
        else:
            lines += [f".. auto{kinds[name]}:: {home}", ""]
    rest = entries(package, listed)
    if rest:
        lines += title("Registered", "-")
        lines += [line for each in rest for line in (f".. auto{each}", "")]
    return "\n".join(lines)


def value(package: str, name: str, thing: Any) -> list[str]:
    """Return a constant or a registry, with what is registered there."""
    said = as_rst(public.said_of_value(package, name).split("\n"))
    lines = [f".. py:data:: {package}.{name}", "", *(f"   {line}" for line in said), ""]
    if isinstance(thing, Registry):
        return lines + [f"   {line}" for line in registered(thing)]
    if isinstance(thing, tuple | int | float | str):
        lines += [f"   ``{thing!r}``", ""]
    return lines


def registered(registry: Registry[Any]) -> list[str]:
    """Return a table of a registry: the name that a user types, what it is, its first sentence."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: auto", ""]
    lines += [f"   * - {registry.kind}", "     - is"]
    for name in registry:
        first = (inspect.getdoc(behind(registry.get(name))) or "").split("\n\n")[0]
        text = " ".join(line.strip() for line in as_rst(first.split("\n")))
        lines += [f"   * - ``{name}``", f"     - {text}".rstrip()]
    return [*lines, ""]


def modules_page(package: str) -> str:
    """Return the page of a package without a list of names: each of its modules."""
    lines = [*title(package), f".. automodule:: {package}", "   :no-members:", ""]
    for module in public.modules_of(package):
        lines += [*title(escaped(module), "-"), f".. automodule:: {module}", ""]
    return "\n".join(lines)


def pages() -> dict[str, str]:
    """Return every generated page by its file's name."""
    found = {f"{name}.rst": package_page(name) for name in public.packages()}
    return found | {f"{name}.rst": modules_page(name) for name in public.plain_packages()}


def elsewhere() -> dict[str, str]:
    """Return where a name is described that one package offers and another one defines."""
    found = {}
    for package in public.packages():
        for name in public.public_names(package):
            home = public.home(package, name)
            if home != f"{package}.{name}":
                found[f"{package}.{name}"] = home
    return found


def link(app: Any, env: Any, node: Any, content: Any) -> Any:
    """Return the link of a name in backticks that Sphinx does not find: an alias, or a short name.

    A short name that fits several things stays code.
    """
    if node.get("refdomain") != "py":
        return None
    domain = env.get_domain("py")
    asked = node["reftarget"].removesuffix("()")
    asked = elsewhere_cached().get(asked, asked)
    known = {name for name, entry in domain.objects.items() if not entry.aliased}
    ends = [name for name in known if name.endswith(f".{asked}")]
    target = asked if asked in known else ends[0] if len(ends) == 1 and telling(asked) else None
    if target is None:
        return None
    entry = domain.objects[target]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, content)


def linked(app: Any, doctree: nodes.document) -> None:
    """Make full names in backticks links on every page, those in Markdown too."""
    for node in list(doctree.findall(nodes.literal)):
        name = node.astext().removesuffix("()")
        if FULL.fullmatch(name) and not isinstance(node.parent, addnodes.pending_xref):
            options = {"refdomain": "py", "reftype": "obj", "reftarget": name}
            link = addnodes.pending_xref("", refdoc=app.env.docname, refexplicit=False, **options)
            node.replace_self(link)
            link += node


def telling(name: str) -> bool:
    """Return whether a bare name is one of code: a class, or of several words."""
    return name[:1].isupper() or "_" in name or "." in name


elsewhere_cached = functools.cache(elsewhere)


def write(app: Any) -> None:
    """Write the pages that changed, so that Sphinx reads no other one again."""
    GENERATED.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in GENERATED.glob("*.rst"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = GENERATED / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx."""
    # A summary that ends in "eq." would lose the equation's number.
    autosummary.WELL_KNOWN_ABBREVIATIONS += ("eq.",)
    app.connect("builder-inited", write)
    app.connect("doctree-read", linked)
    app.connect("missing-reference", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
