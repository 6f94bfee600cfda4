import hypothesis
import pytest
from hypothesis import strategies as st

from mtl_dm.spec import Spec, parse, parse_several, repeated

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
)
LISTS = st.lists(SCALARS, max_size=3).map(tuple)
VALUES = st.one_of(SCALARS, LISTS, st.lists(LISTS, max_size=2).map(tuple))
SPECS = st.builds(Spec, NAMES, st.dictionaries(NAMES, VALUES, max_size=4))


@hypothesis.given(SPECS)
def test_text_and_back(spec):
    text = str(spec)
    again = parse(text)
    assert again == spec
    # 1 == 1.0 == True for Python, not for an option.
    assert repr(sorted(again.options.items())) == repr(sorted(spec.options.items()))
    assert str(again) == text


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("facs", "facs", {}),
        (" facs ( ) ", "facs", {}),
        (
            "resnet50(variant=paper, weights=imagenet)",
            "resnet50",
            {"variant": "paper", "weights": "imagenet"},
        ),
        ("a(b=1,c=1.0,d=-.5,e=1e-3)", "a", {"b": 1, "c": 1.0, "d": -0.5, "e": 0.001}),
        ("a(b=True, c=False, d=None)", "a", {"b": True, "c": False, "d": None}),
        ("a(b='None', c=\"1\")", "a", {"b": "None", "c": "1"}),
        ("a(b=none, c=true)", "a", {"b": "none", "c": "true"}),
        ("a(b=[x/y:train, z])", "a", {"b": ("x/y:train", "z")}),
        ("a(b=(1, [2, 3],), c=[])", "a", {"b": (1, (2, 3)), "c": ()}),
        ("a(b=inferred:cub/x:train)", "a", {"b": "inferred:cub/x:train"}),
        ("a(b=../runs/t.json)", "a", {"b": "../runs/t.json"}),
        (r"a(b='C:\data', c='it\'s')", "a", {"b": r"C:\data", "c": "it's"}),
        ("a(b=sgd( momentum = 0.9 ))", "a", {"b": "sgd(momentum=0.9)"}),
        ("a(b=tiny-engine, c=conv2d*)", "a", {"b": "tiny-engine", "c": "conv2d*"}),
    ],
)  # fmt: skip
def test_reads(text, name, options):
    spec = parse(text)
    assert spec == Spec(name, options)
    assert [type(spec.options[each]) for each in options] == list(map(type, options.values()))
    assert parse(str(spec)) == spec


def test_one_spelling():
    assert str(parse("a( c = 'x' , b=[ 1 ])")) == "a(b=[1], c=x)"
    assert str(parse("a(b='two words')")) == 'a(b="two words")'
    assert str(parse("a(x=f(g=h(i=1)))")) == "a(x=f(g=h(i=1)))"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a name, got ''"),
        ("1a", "expected a name, got '1a'"),
        ("a b", "expected nothing after it, got 'b'"),
        ("a(b=1) c", "expected nothing after it, got 'c'"),
        ("a(", "')' is missing"),
        ("a(b=1", "')' is missing"),
        ("a(b=[1", "']' is missing"),
        ("a(b=1, b=2)", "the option 'b' is given twice"),
        ("a(0.4)", "options are given as option=value, got '0.4)'"),
        ("a(b)", "options are given as option=value, got 'b)'"),
        ("a(=1)", "options are given as option=value"),
        ("a(b=)", "a value is a literal"),
        ("a(b='x)", "a value is a literal"),
        ("a(b=1e999)", "numbers are finite, got 1e999"),
        (f"a(b=1{'0' * 400})", f"numbers are finite, got 1{'0' * 39}"),
        (f"a(b=1{'0' * 30})", f"whole numbers are below 2^63, got 1{'0' * 30}"),
        ("a(b=1 c=2)", "expected ',' or ')', got 'c=2)'"),
        ("a(b=two words)", "expected ',' or ')', got 'words)'"),
    ],
)
def test_refuses(text, message):
    with pytest.raises(ValueError) as error:
        parse(text)
    assert message in str(error.value)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize("opening", ["[", "a(b="])
def test_brackets_without_end(opening):
    with pytest.raises(ValueError, match=r"more than 12 brackets in each other|not code"):
        parse("a(b=" + opening * 5000)


def test_the_deepest_specification_is_read_at_once():
    text = "a(b=" * 12 + "1" + ")" * 12
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    "code",
    [
        "1+1",
        "-x",
        "2*3",
        "__import__('os').system('true')",
        "max(1, 2)",
        "os.getcwd()",
        "lambda x: 1",
        "[x for x in y]",
        "{1: 2}",
        "x[0]",
        "f'x'",
        "not x",
    ],
)
def test_code_is_no_literal(code):
    with pytest.raises(ValueError, match="not code"):
        parse(f"a(b={code})")


def test_repeated_names_among_many():
    many = [f"n{number}" for number in range(100_000)]
    assert repeated([*many, "n7", "b", "b"]) == ["b", "n7"]


@hypothesis.given(st.lists(SPECS, min_size=1, max_size=3))
@hypothesis.settings(max_examples=30)
def test_several_with_commas_between_them(specs):
    assert parse_several(" , ".join(map(str, specs))) == specs


@pytest.mark.parametrize("text", ["", "a,", "a b", "a(b=1) ; c", ",a"])
def test_what_is_no_list_of_specifications(text):
    with pytest.raises(ValueError, match="is no specification"):
        parse_several(text)
