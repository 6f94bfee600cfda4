import pytest

from mtl_dm.models.counting import Macs, Parameters
from mtl_dm.models.summary import Line, as_text, line_of, main, variants


def test_every_variant_of_every_backbone_is_listed():
    assert {("compact_cnn", ""), ("vgg16", "paper"), ("vgg16", "demo")} <= set(variants())
    assert list(variants(["vggface"])) == [("vggface", "paper"), ("vggface", "demo")]


def test_a_line_and_its_step():
    line = line_of("dense_trunk", "", steps=1, batch=2)
    assert line.parameters == (10 * 256 + 256,) * 2
    assert line.macs == (10 * 256, ())
    assert line.seconds > 0


def test_text():
    lines = [
        Line("one", "demo", "code", (48, 48, 3), Parameters(1000, 2000), Macs(2_500_000, ()), 0.1),
        Line(
            "two", "", "own", {"a": (3,), "b": (None, 2)}, Parameters(1, 1), Macs(0, ("x",)), None
        ),
    ]
    head, one, two = as_text(lines, batch=4).splitlines()
    assert head.split("  ")[-1] == "step of 4"
    assert " ".join(one.split()) == "one demo code 48x48x3 1,000 2,000 2.5 M 0.100 s"
    assert " ".join(two.split()) == "two - own a 3, b anyx2 1 1 0.0 M and x -"
    assert "step" not in as_text(lines[1:])


def test_command(capsys):
    main(["--only=compact_cnn,dense_trunk"])
    head, compact, dense = capsys.readouterr().out.splitlines()
    assert head.startswith("backbone")
    assert compact.startswith("compact_cnn")
    assert dense.split()[:4] == ["dense_trunk", "-", "own", "10"]
    with pytest.raises(SystemExit):
        main(["--only=x"])
    assert "Unknown backbone 'x'" in capsys.readouterr().err
