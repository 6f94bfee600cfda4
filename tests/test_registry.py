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


def test_a_follower_sees_what_there_is_and_what_will_be():
    registry, seen = Registry("form"), []
    registry.register("a")(1)
    registry.follow(lambda name, entry: seen.append((name, entry)))
    registry.register("b")(2)
    assert seen == [("a", 1), ("b", 2)]


def test_what_a_follower_refuses_is_not_registered():
    registry, other = Registry("equation"), Registry("form")
    other.register("taken")(1)
    registry.follow(lambda name, entry: other.register(name)(entry))
    with pytest.raises(ValueError, match="The form 'taken' is registered already"):
        registry.register("taken")(2)
    assert list(registry) == []


def test_registries_are_independent():
    one, two = Registry("a"), Registry("b")
    one.register("x")(1)
    assert "x" not in two


def network(shape: tuple[int, ...], width: int = 8, dropout: float = 0.5) -> tuple:
    return shape, width, dropout


@pytest.fixture
def networks():
    registry = Registry("network")
    registry.register("cnn")(network)
    registry.alias("convnet", "cnn")
    return registry


def test_create_gives_arguments_and_options(networks):
    assert networks.create("cnn", (3,)) == ((3,), 8, 0.5)
    assert networks.create("cnn(dropout=0, width=2)", (3,)) == ((3,), 2, 0.0)


def test_spec_is_checked_and_unified(networks):
    assert str(networks.spec(" convnet( dropout = 1,width=2)")) == "cnn(dropout=1.0, width=2)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vgg(width=2)", "Unknown network 'vgg'. Known: cnn."),
        ("cnn(depth=2)", "The network 'cnn' has no option 'depth'. Known: dropout, width."),
        ("cnn(width=wide)", "Option 'width' of the network 'cnn' must be an integer, got 'wide'."),
        ("cnn(width=1+1)", "not code"),
        ("cnn(width=1, width=1)", "the option 'width' is given twice"),
        ("cnn(shape=3)", "has no option 'shape'"),
    ],
)
def test_wrong_specifications(networks, text, message):
    for use in (networks.spec, lambda text: networks.create(text, (3,))):
        with pytest.raises(ValueError) as error:
            use(text)
        assert message in str(error.value)


def test_an_old_name_stands_for_the_new_one_and_is_noticed_once(networks, caplog):
    assert "convnet" in networks
    assert list(networks) == ["cnn"]
    assert networks.canonical("convnet") == "cnn"
    assert not caplog.records
    for _ in range(2):
        assert networks.get("convnet") is network
    (record,) = caplog.records
    assert "'convnet' is called 'cnn' now" in record.getMessage()
    networks.get("cnn")
    assert len(caplog.records) == 1


def test_an_alias_takes_a_name(networks):
    with pytest.raises(ValueError, match="'convnet' is registered already"):
        networks.register("convnet")(network)
    with pytest.raises(ValueError, match="'cnn' is registered already"):
        networks.alias("cnn", "cnn")
    with pytest.raises(ValueError, match="Unknown network 'vgg'"):
        networks.alias("old", "vgg")
