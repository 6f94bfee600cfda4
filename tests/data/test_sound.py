import numpy as np
import pytest
import scipy.fft

from mtl_dm import data

RATE, FPS, FRAMES = 2_000, 10.0, 12


def sound(length=2_000, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, length).astype(np.float32)


def mel(hertz):
    return 1127.0 * np.log(1.0 + hertz / 700.0)


def reference(samples, frame, bands, seconds=0.04):
    """The textbook's definition, one frame at a time: HTK's mel scale, triangles, DCT-II."""
    length = round(seconds * RATE)
    middle = round((frame + 0.5) / FPS * RATE)
    piece = np.zeros(length)
    for place in range(length):
        at = middle - length // 2 + place
        if 0 <= at < len(samples):
            window = 0.5 - 0.5 * np.cos(2 * np.pi * place / length)
            piece[place] = samples[at] * window
    points = 2 ** int(np.ceil(np.log2(length)))
    power = np.abs(np.fft.rfft(piece, points)) ** 2
    edges = np.linspace(mel(20.0), mel(RATE / 2), bands + 2)
    energies = np.zeros(bands)
    for bin_ in range(1, len(power)):
        at = mel(bin_ * RATE / points)
        for band in range(bands):
            low, centre, high = edges[band : band + 3]
            weight = min((at - low) / (centre - low), (high - at) / (high - centre))
            energies[band] += max(0.0, weight) * power[bin_]
    return scipy.fft.dct(np.log(energies + 1e-6)) / np.sqrt(2 * bands)


def test_is_the_textbooks():
    samples = sound()
    got = data.mfcc(samples, RATE, FRAMES, FPS, coefficients=6)
    assert got.shape == (FRAMES, 6)
    for frame in range(10):
        np.testing.assert_allclose(got[frame], reference(samples, frame, 6), rtol=1e-3, atol=1e-3)
    # The sound lasts a second: the last two frames have none.
    assert np.isnan(got[10:]).all()


def test_a_frame_does_not_depend_on_the_rest():
    loud = sound()
    loud[1_500:] *= 100
    whole, part = (data.mfcc(each, RATE, 5, FPS) for each in (loud, loud[:1_200]))
    np.testing.assert_array_equal(whole, part)
    assert np.isfinite(data.mfcc(np.zeros(2_000), RATE, 5, FPS)).all()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"samples": np.zeros((2, 2))}, r"samples must have the shape \[S\], got \(2, 2\)"),
        ({"rate": 0}, "rate must be above 0, got 0"),
        ({"frames": 0}, "frames must be above 0, got 0"),
        ({"frames_per_second": -1.0}, "frames_per_second must be above 0, got -1.0"),
    ],
)
def test_refused(change, match):
    given = {"samples": sound(), "rate": RATE, "frames": 3, "frames_per_second": FPS, **change}
    with pytest.raises(ValueError, match=match):
        data.mfcc(**given)
