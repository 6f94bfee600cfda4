from collections.abc import Callable, Sequence
from typing import Any, Literal

import keras
import pytest

from mtl_dm.options import checked, options_of


def entry(
    shape: tuple[int, ...],
    flag: bool = False,
    count: int = 1,
    rate: float = 0.5,
    *,
    name: str = "x",
    kind: Literal["a", "b", 3] = "a",
    limit: int | None = None,
    sizes: tuple[int, ...] = (),
    pair: tuple[int, str] = (1, "a"),
    names: Sequence[str] | str = (),
    call: Callable[[], None] | None = None,
    other=None,
    **rest: Any,
) -> None:
    """What an entry of a registry may look like."""


def given(**options):
    return checked("thing 'entry'", entry, options)


@pytest.mark.parametrize(
    ("options", "want"),
    [
        ({"flag": True, "count": -3}, {"flag": True, "count": -3}),
        ({"rate": 1}, {"rate": 1.0}),
        ({"kind": "b", "name": "y"}, {"kind": "b", "name": "y"}),
        ({"kind": 3, "limit": None}, {"kind": 3, "limit": None}),
        ({"limit": 4, "sizes": (1, 2)}, {"limit": 4, "sizes": (1, 2)}),
        ({"pair": (2, "b"), "names": ("a",)}, {"pair": (2, "b"), "names": ("a",)}),
        ({"names": "a"}, {"names": "a"}),
        ({}, {}),
    ],
)
def test_takes(options, want):
    have = given(**options)
    assert have == want
    assert {name: type(value) for name, value in have.items()} == {
        name: type(value) for name, value in want.items()
    }


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"flag": 1}, "'flag' of the thing 'entry' must be True or False, got 1"),
        ({"flag": "True"}, "must be True or False, got 'True'"),
        ({"count": 1.0}, "must be an integer, got 1.0"),
        ({"count": True}, "must be an integer, got True"),
        ({"rate": "much"}, "must be a number, got 'much'"),
        ({"rate": False}, "must be a number, got False"),
        ({"name": 3}, "must be text, got 3"),
        ({"kind": "c"}, "must be one of a, b, 3, got 'c'"),
        ({"kind": 3.0}, "must be one of a, b, 3, got 3.0"),
        ({"limit": "none"}, "must be an integer or None, got 'none'"),
        ({"sizes": 3}, r"must be a list \(an integer\), got 3"),
        ({"sizes": (1, "a")}, r"must be a list \(an integer\), got \(1, 'a'\)"),
        ({"pair": (1, "a", 2)}, r"must be a list \(an integer, text\)"),
        ({"pair": ("a", 1)}, r"must be a list \(an integer, text\)"),
    ],
)
def test_refuses(options, rule):
    with pytest.raises(ValueError, match=rule):
        given(**options)


@pytest.mark.parametrize("name", ["shape", "other", "rest", "nothing"])
def test_unknown_options_list_the_known_ones(name):
    with pytest.raises(ValueError) as error:
        given(**{name: 1})
    assert str(error.value) == (
        f"The thing 'entry' has no option {name!r}. Known: count, flag, kind, limit, name, names, "
        "pair, rate, sizes."
    )


def test_a_callable_cannot_be_typed():
    assert "call" not in options_of(entry)


def test_what_is_needed():
    def needs(x: int, *, every: float) -> None:
        """One option without a default."""

    with pytest.raises(ValueError, match=r"thing 'needs' needs the option\(s\) every"):
        checked("thing 'needs'", needs, {})
    assert checked("", needs, {"every": 2}) == {"every": 2.0}
    # Filled by whoever calls it with one argument, or an option where nobody does.
    assert set(options_of(needs)) == {"every"}
    assert set(options_of(needs, positional=0)) == {"x", "every"}


def test_options_of_any_name():
    def weights(total: int = 1, **rest: float) -> None:
        """Any name is an option."""

    assert checked("", weights, {"total": 2, "pose": 3}) == {"total": 2, "pose": 3.0}
    with pytest.raises(ValueError, match="Option 'pose' of the thing must be a number, got 'x'"):
        checked("thing", weights, {"pose": "x"})


def test_options_of_a_layer_are_its_own():
    class Plain(keras.layers.Layer):
        """Without a constructor of its own."""

    class Own(keras.layers.Layer):
        """With one."""

        def __init__(self, alpha: float = 1.5, **kwargs: Any) -> None:
            super().__init__(**kwargs)

    assert options_of(Plain) == {}
    assert options_of(Own) == {"alpha": float}


def test_options_of_a_class_that_hands_on_what_it_does_not_know():
    class Base:
        """What is handed on ends here."""

        def __init__(self, size: int, scope: str = "shared", **kwargs: Any) -> None:
            """Take a size, which is the deriving class's to give."""

    class Derived(Base):
        """With an option of its own."""

        def __init__(self, alpha: float = 1.5, **kwargs: Any) -> None:
            super().__init__(3, **kwargs)

    class Closed(Base):
        """Hands nothing on."""

        def __init__(self, alpha: float = 1.5) -> None:
            super().__init__(3)

    assert options_of(Derived) == {"alpha": float, "scope": str}
    assert options_of(Derived, positional=1) == {"scope": str}
    assert options_of(Closed) == {"alpha": float}
    assert checked("", Derived, {"scope": "x"}) == {"scope": "x"}
