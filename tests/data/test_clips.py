import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_dm import data
from mtl_dm.data.windows import around, centres
from mtl_dm.streams import mask_of
from mtl_dm.tasks import Task

EXPRESSION = Task.multiclass("expression", ("calm", "glad"))
UNITS = Task.multilabel("units", ("AU1", "AU2"))
TASKS = (EXPRESSION, UNITS)


def recording(name="a", length=7, streams=("mfcc", "words"), seed=0, **labels):
    rng = np.random.default_rng(seed)
    values = {each: rng.normal(size=(length, 3)).astype(np.float32) for each in streams}
    for each in values.values():
        each[rng.random(length) < 0.3, 1] = np.nan
    labels = labels or {
        "expression": rng.integers(-1, 2, length),
        "units": np.append(rng.integers(0, 2, (length - 1, 2)), [[0, 1]], axis=0),
    }
    frames = rng.integers(0, 256, (length, 8, 8, 3)).astype(np.uint8)
    return data.Recording(name, frames, labels, values)


def made(recordings, **options):
    given = {"window": 3, "streams": ("mfcc", "words"), "image_size": 8, **options}
    return data.clips(recordings, TASKS, **given)


class TestWindows:
    @given(st.integers(1, 30), st.integers(0, 6), st.integers(1, 4), st.booleans())
    def test_against_a_plain_loop(self, length, half, stride, pad):
        size = 2 * half + 1
        if length < size and not pad:
            with pytest.raises(ValueError, match=f"{length} frames, the window {size}"):
                centres(length, size, stride=stride, pad=pad)
            return
        middle = centres(length, size, stride=stride, pad=pad)
        cut = [around(each, size, length) for each in middle]
        want = []
        for centre in range(0 if pad else half, length if pad else length - half, stride):
            frames = [centre + step for step in range(-half, half + 1)]
            want.append(
                (
                    [min(max(frame, 0), length - 1) for frame in frames],
                    [0 <= frame < length for frame in frames],
                )
            )
        assert [rows.tolist() for rows, _ in cut] == [each for each, _ in want]
        assert [inside.tolist() for _, inside in cut] == [each for _, each in want]
        assert [rows[half] for rows, _ in cut] == middle.tolist()
        assert pad or all(inside.all() for _, inside in cut)

    @pytest.mark.parametrize(
        ("arguments", "match"),
        [
            ((9, 4, 1), "window must be odd and at least 1, got 4"),
            ((9, 0, 1), "window must be odd and at least 1, got 0"),
            ((9, 3, 0), "stride must be at least 1, got 0"),
        ],
    )
    def test_refused(self, arguments, match):
        length, size, stride = arguments
        with pytest.raises(ValueError, match=match):
            centres(length, size, stride=stride)


class TestClips:
    @pytest.mark.parametrize("pad", [False, True])
    def test_against_a_plain_loop(self, pad):
        recordings = [recording("a"), recording("b", 5, streams=("mfcc",), seed=1)]
        source = made(recordings, pad=pad)
        got = list(source.as_numpy_iterator())
        place = 0
        for each in recordings:
            length = len(each.frames)
            for centre in range(0 if pad else 1, length if pad else length - 1):
                inputs, labels, masks = got[place]
                place += 1
                np.testing.assert_allclose(
                    inputs["image"], each.frames[centre] / 127.5 - 1, atol=1e-6
                )
                for name in ("mfcc", "words"):
                    for step in range(3):
                        frame = centre + step - 1
                        row = np.full(3, np.nan)
                        if name in each.streams and 0 <= frame < length:
                            row = each.streams[name][frame]
                        missing = np.isnan(row).any()
                        assert inputs[mask_of(name)][step] == (not missing)
                        want = np.zeros(3) if missing else row
                        np.testing.assert_array_equal(inputs[name][step], want)
                label = each.labels["expression"][centre]
                assert masks["expression"] == (label >= 0)
                np.testing.assert_array_equal(
                    labels["expression"], np.eye(2)[label] * masks["expression"]
                )
                np.testing.assert_array_equal(labels["units"], each.labels["units"][centre])
        assert place == len(got) == int(source.cardinality())

    def test_goes_through_merge_and_augment(self):
        expressions = made([recording(expression=np.arange(7) % 2)])
        units = made([recording(units=np.eye(2)[np.arange(7) % 2])])
        batches = data.augment(data.merge([expressions, units], 4))
        inputs, labels, masks = next(batches.as_numpy_iterator())
        assert inputs["image"].shape == (4, 8, 8, 3)
        assert inputs["words"].shape == (4, 3, 3)
        assert set(labels) == {"expression", "units"}
        assert sorted(masks["expression"]) == [0, 0, 1, 1]

    def test_a_task_that_one_recording_lacks_is_missing_there(self):
        pair = [recording(expression=np.zeros(7, int)), recording("b", units=np.eye(2)[[0] * 7])]
        elements = list(made(pair).as_numpy_iterator())
        assert [masks["expression"] for _, _, masks in elements] == [1] * 5 + [0] * 5
        assert [masks["units"].tolist() for _, _, masks in elements] == [[0, 0]] * 5 + [[1, 1]] * 5

    def test_only_static_frames_are_read(self):
        class Frames:
            def __init__(self):
                self.asked = []

            def __len__(self):
                return 7

            def __getitem__(self, place):
                self.asked.append(int(place))
                return np.zeros((8, 8, 3), np.uint8)

        frames = Frames()
        film = data.Recording("film", frames, {}, recording().streams)
        list(made([film], stride=2).as_numpy_iterator())
        assert frames.asked == [1, 3, 5]

    def test_windows_are_cut_when_they_are_read(self):
        # Cut before, those of a long recording would hold every frame T times.
        whole = recording()
        source = made([whole], streams=("mfcc",))
        whole.streams["mfcc"][:] = 5
        for inputs, _, _ in source.as_numpy_iterator():
            np.testing.assert_array_equal(inputs["mfcc"], np.full((3, 3), 5))

    def test_refused(self):
        short, silent = recording("short", 2), recording("silent", streams=("words",))
        cases = [
            ([recording(), short], {}, "short has 2 frames, the window 3.*pad=True"),
            ([silent, silent], {}, "'mfcc' is missing in all 2 recordings"),
            ([recording()], {"streams": ()}, "streams must be some of .*none"),
            ([recording()], {"streams": ("smell",)}, r"streams must be some of .*\['smell'\]"),
            ([], {}, "recordings must not be empty"),
            ([recording(pose=np.zeros(7))], {}, r"'a' name unknown tasks \['pose'\]"),
            ([recording(expression=np.zeros(3, int))], {}, "'expression' in 'a' .* 7, got 3"),
        ]
        broken = recording()
        broken.streams["mfcc"] = np.zeros((6, 3))
        cases.append(([broken], {}, r"'mfcc' of 'a' must have the shape \(7, 3\), got \(6, 3\)"))
        flat = recording("flat")
        flat.streams["words"] = np.zeros(7)
        message = r"'words' of 'flat' must be \[frames, numbers\], got the shape \(7,\)"
        cases += [([flat], {}, message), ([recording(), flat], {}, message)]
        for recordings, options, match in cases:
            with pytest.raises(ValueError, match=match):
                made(recordings, **options)
