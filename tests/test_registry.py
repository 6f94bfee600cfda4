import pytest

from mtl_dm.registry import Registry


def test_register_returns_what_it_was_given():
    registry = Registry("form")

    @registry.register("square")
    def square(x):
        return x * x

    assert registry.get("square") is square
    assert square(3) == 9


def test_contains_and_iteration_in_alphabetical_order():
    registry = Registry("form")
    for name in ("b", "c", "a"):
        registry.register(name)(name.upper())
    assert list(registry) == ["a", "b", "c"]
    assert "b" in registry
    assert "d" not in registry
    assert 7 not in registry


def test_unknown_name_lists_the_known_ones():
    registry = Registry("backbone")
    registry.register("vgg")(1)
    registry.register("cnn")(2)
    with pytest.raises(ValueError, match=r"Unknown backbone 'resnet'\. Known: cnn, vgg\."):
        registry.get("resnet")


def test_unknown_name_in_an_empty_registry():
    with pytest.raises(ValueError, match=r"Unknown backbone 'x'\. Known: none"):
        Registry("backbone").get("x")


def test_a_name_is_taken_once_and_the_first_entry_stays():
    registry = Registry("backbone")
    registry.register("cnn")(1)
    with pytest.raises(ValueError, match="The backbone 'cnn' is registered already"):
        registry.register("cnn")(2)
    assert registry.get("cnn") == 1


def test_registries_are_independent():
    one, two = Registry("a"), Registry("b")
    one.register("x")(1)
    assert "x" not in two
