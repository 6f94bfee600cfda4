"""Which names are public, where each is defined, and what is said of it there."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import itertools
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "mtl_dm"


def packages() -> list[str]:
    """Return `mtl_dm` and its packages that list public names, one level down."""
    top = importlib.import_module(PACKAGE)
    found = [f"{PACKAGE}.{each.name}" for each in pkgutil.iter_modules(top.__path__) if each.ispkg]
    return [PACKAGE, *(name for name in found if public_names(name))]


def plain_packages() -> list[str]:
    """Return the packages that list none: their modules are what is imported from them."""
    top = importlib.import_module(PACKAGE)
    found = [f"{PACKAGE}.{each.name}" for each in pkgutil.iter_modules(top.__path__) if each.ispkg]
    return [name for name in found if not public_names(name)]


def public_names(module: str) -> list[str]:
    """Return what a module lists in `__all__`, in its order."""
    return list(getattr(importlib.import_module(module), "__all__", ()))


def modules_of(package: str) -> list[str]:
    """Return the modules of a package, those in folders too, without those that start with _."""
    top = importlib.import_module(package)
    found = [each.name for each in pkgutil.walk_packages(top.__path__, f"{package}.")]
    return [name for name in found if not any(part.startswith("_") for part in name.split("."))]


@functools.cache
def tree(module: str) -> ast.Module:
    """Return the source of a module, parsed."""
    file = importlib.import_module(module).__file__
    return ast.parse(Path(str(file)).read_text(encoding="utf-8"))


def defined_in(module: str, name: str) -> tuple[str, str]:
    """Return the module that defines what `module` offers as `name`, and its name there."""
    for node in tree(module).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name and node.module.startswith(PACKAGE):
                    if f"{node.module}.{alias.name}" == f"{module}.{name}":
                        return module, name
                    return defined_in(node.module, alias.name)
    return module, name


def said_of_value(module: str, name: str) -> str:
    """Return the string below the assignment of a value; empty where there is none."""
    module, name = defined_in(module, name)
    body = tree(module).body
    for node, after in itertools.pairwise(body):
        if not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(each, ast.Name) and each.id == name for each in targets):
            return inspect.cleandoc(str(after.value.value))
    return ""


@functools.cache
def home(module: str, name: str) -> str:
    """Return the full name under which a public name is documented: once, in its own package."""
    defined, original = defined_in(module, name)
    package = ".".join(defined.split(".")[:2])
    if package in plain_packages():
        return f"{defined}.{original}"
    return f"{package}.{name}" if name in public_names(package) else f"{module}.{name}"


def kind_of(thing: Any) -> str:
    """Return what Sphinx documents a thing as; aliases of other libraries' types are values."""
    if isinstance(thing, ModuleType):
        return "module"
    if not str(getattr(thing, "__module__", "")).startswith(PACKAGE):
        return "data"
    if inspect.isclass(thing):
        return "class"
    return "function" if callable(thing) and hasattr(thing, "__qualname__") else "data"
