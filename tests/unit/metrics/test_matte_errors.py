"""Errors of alpha mattes, against the MATLAB evaluation that papers quote, SciPy, and by hand."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from tests.unit.metrics.drawn_mattes import NAMES, drawn

from penstock.metrics.matte_errors import conn, grad, mae, mse, sad

# Deep Image Matting's evaluation under GNU Octave 7.3 with image 2.14, of `drawn(name)`; gradients and connectivity in
# float64 (its own float32 differs from that in the seventh digit), thresholds (0:10)/10. Sums, not divided by 1000.
# Per name: over the trimap's unknown region, and over the whole image.
OCTAVE_GRAD = {
    "soft": (201.991304851253, 573.933205692052),
    "noise": (10.9691406351769, 58.5615191428428),
    "ties": (9.30952524203666, 98.0565456094423),
    "faint": (0.00790205362380235, 0.0149601963800659),
    "fifths": (328.12475358275, 408.490744414013),
}
OCTAVE_CONN = {
    "soft": (343.190196078431, 481.890196078431),
    "noise": (42.8588235294118, 118.380392156863),
    "ties": (28.2352941176471, 75.2941176470588),
    # Here the original stops with an error, since no pixel of both has an alpha of 0.8: with an empty region instead.
    "faint": (136.894117647059, 492.394117647059),
    "fifths": (320.8, 320.8),
}
OCTAVE_SAD = {
    "soft": (318.062805, 445.101959),
    "noise": (55.0941238, 299.255005),
    "ties": (28.2353058, 82.823555),
    "faint": (140.909836, 788.301575),
    "fifths": (320.799957, 320.799957),
}
OCTAVE_MSE = {
    "soft": (0.081186831, 0.0204615854),
    "noise": (0.00775921065, 0.00456141308),
    "ties": (0.0138408262, 0.0025513689),
    "faint": (0.0169414319, 0.0183030684),
    "fifths": (0.0400000028, 0.00928240828),
}
"""SAD and MSE are the original's own, in float32."""

LEVELS = st.integers(0, 255)


def pair(name):
    prediction, truth, trimap = drawn(name)
    return prediction / 255, truth / 255, trimap == 128


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("whole", [False, True])
def test_matlabs_evaluation(name, whole):
    prediction, truth, unknown = pair(name)
    region = None if whole else unknown
    assert 1000 * grad(prediction, truth, region) == pytest.approx(OCTAVE_GRAD[name][whole], rel=1e-12)
    assert 1000 * conn(prediction, truth, region) == pytest.approx(OCTAVE_CONN[name][whole], rel=1e-12)
    assert 1000 * sad(prediction, truth, region) == pytest.approx(OCTAVE_SAD[name][whole], rel=1e-6)
    assert mse(prediction, truth, region) == pytest.approx(OCTAVE_MSE[name][whole], rel=1e-6)


def test_alpha_on_a_threshold_reaches_it():
    """Ports whose thresholds are sums of 0.1 say 399.2 here: 3 × 0.1 and 6 × 0.1 lie above 0.3 and 0.6."""
    prediction, truth, _ = pair("fifths")
    assert 1000 * conn(prediction, truth) == pytest.approx(320.8)


def test_the_background_is_no_region():
    """It is the larger part here."""
    truth = np.zeros((40, 80))
    truth[10:30, 10:70] = 1
    answer = truth.copy()
    answer[:, 50:52] = 0
    assert conn(answer, truth) == pytest.approx(20 * 2 / 1000)
    answer[10:30, 52:70] = 0.8  # cut off: level 0, so what is missing of alpha counts
    assert conn(answer, truth) == pytest.approx((20 * 2 + 20 * 18 * 0.2) / 1000)


@pytest.mark.parametrize("seed", range(3))
def test_gradients_as_scipy_convolves_them(seed):
    random = np.random.default_rng(seed)
    truth = cv2.GaussianBlur((random.random((50, 170)) > 0.6).astype(float), (0, 0), 2)
    answer = truth.copy()
    answer[5:12, 20:60] *= 0.5
    answer[40:, 150:] = random.random((10, 20))
    at = np.arange(-4, 5)
    bell = np.exp(-(at**2) / (2 * 1.4**2))
    kernel = np.outer(bell, at * bell)
    kernel /= np.sqrt((kernel**2).sum())

    def length(matte):
        matte = (matte - matte.min()) / (matte.max() - matte.min())
        return np.hypot(*(ndimage.convolve(matte, k, mode="nearest") for k in (kernel, kernel.T)))

    error = (length(answer) - length(truth)) ** 2 / 1000
    assert grad(answer, truth) == pytest.approx(error.sum(), rel=1e-12)
    unknown = random.random(truth.shape) > 0.5
    assert grad(answer, truth, unknown) == pytest.approx(error[unknown].sum(), rel=1e-12)
    stretched = answer * (0.9 / answer.max())
    assert grad(stretched, truth) == pytest.approx(grad(answer, truth), rel=1e-12)


@given(arrays.arrays(np.uint8, (2, 7, 9), elements=LEVELS), arrays.arrays(np.bool_, (7, 9)))
@settings(max_examples=30, deadline=None)
def test_differences_by_hand(levels, unknown):
    prediction, truth = levels / 255
    unknown[3, 3] = True
    exact = np.abs(levels[0].astype(int) - levels[1].astype(int))
    assert mae(prediction, truth, unknown) == pytest.approx(exact[unknown].mean() / 255)
    assert mse(prediction, truth, unknown) == pytest.approx((exact[unknown] ** 2).mean() / 255**2)
    assert sad(prediction, truth) == pytest.approx(exact.sum() / 255 / 1000)


@pytest.mark.slow
@given(arrays.arrays(np.uint8, (2, 12, 10), elements=st.sampled_from([0, 40, 102, 128, 153, 255])))
@settings(max_examples=30, deadline=None)
def test_equal_is_nothing_and_sides_do_not_matter(levels):
    prediction, truth = levels / 255
    for error in (mae, mse, sad, grad, conn):
        assert error(truth, truth) == 0
        assert error(prediction, truth) == pytest.approx(error(truth, prediction), rel=1e-12)
        assert error(prediction, truth) >= 0


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_empty_and_full(value):
    plain = np.full((30, 40), value)
    other = 1 - plain
    assert [error(plain, plain) for error in (mae, mse, sad, grad, conn)] == [0] * 5
    assert [error(other, plain) for error in (mae, mse, sad, grad, conn)] == [1, 1, 1.2, 0, 1.2]


def test_one_pixel():
    assert mae(np.array([[0.25]]), np.array([[1.0]])) == 0.75
    assert grad(np.array([[0.25]]), np.array([[1.0]])) == 0
    assert conn(np.array([[0.25]]), np.array([[1.0]])) == pytest.approx((1.0 - 0.2) / 1000)


def test_sixteen_bits_are_kept():
    truth = np.full((10, 10), 40_000 / 65_535)
    assert mae(np.full((10, 10), 40_001 / 65_535), truth) == pytest.approx(1 / 65_535)
