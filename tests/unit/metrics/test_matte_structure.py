"""S-measure, weighted F and E-measure: PySODMetrics 1.6 gave the numbers. MBA: worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from tests.unit.metrics.strand_mattes import NAMES, pair

from penstock.foundation.errors import UsageError
from penstock.metrics.matte_structure import e_measure, is_foreground, mba, s_measure, weighted_f

ALL = (s_measure, weighted_f, e_measure)
PYSODMETRICS = {
    "hair": (0.8457871274471398, 0.8261818465634488, 0.8564265773428302),
    "shifted": (0.9310653984601732, 0.8562506379161408, 0.9116436645909654),
    "noise": (0.9367099529483751, 0.7633536366708172, 0.8764115562480291),
    "parts": (0.6143840574494956, 0.6331504731576673, 0.6675791883789448),
    "pale": (0.768475685316069, 0.4002259944788002, 0.5813125249180559),
    "cut": (0.9231988337578025, 0.9427184722884674, 0.9575666655636577),
    "torn": (0.5120864714591299, 0.6108870954877936, 0.6662178832144123),
}
"""``step(answer / 255, truth > 128, normalize=False)``."""
PALE_STRETCHED = (0.9403999285573746, 0.866501524437787, 0.9145832161494258)
"""``step(answer, truth)`` of "pale"."""


def mattes(name):
    answer, truth = pair(name)
    return answer / 255, truth / 255


def square(side=64, begin=16, end=48):
    matte = np.zeros((side, side))
    matte[begin:end, begin:end] = 1.0
    return matte


@pytest.mark.parametrize("name", NAMES)
def test_they_are_pysodmetrics(name):
    found = [metric(*mattes(name)) for metric in ALL]
    assert found == pytest.approx(PYSODMETRICS[name], abs=1e-12)


def test_min_max_stretches_the_answer_first():
    answer, truth = mattes("pale")
    assert [metric(answer, truth, min_max=True) for metric in ALL] == pytest.approx(PALE_STRETCHED, abs=1e-12)
    for metric in ALL:
        assert metric(np.full((8, 8), 0.25), square(8, 2, 5), min_max=True) == metric(
            np.full((8, 8), 0.25), square(8, 2, 5)
        )


@pytest.mark.parametrize("name", NAMES)
def test_the_arrays_strides_make_no_difference(name):
    answer, truth = mattes(name)
    for metric in (*ALL, mba):
        assert metric(np.asfortranarray(answer), np.asfortranarray(truth)) == metric(answer, truth)
        assert metric(answer[::2, ::2], truth[::2, ::2]) == metric(answer[::2, ::2].copy(), truth[::2, ::2].copy())


def plain_weighted_f(answer, mask):
    """The definition, with SciPy's nearest foreground pixel."""
    distance, (rows, columns) = ndimage.distance_transform_edt(~mask, return_indices=True)
    error = np.abs(answer - mask)
    kernel = np.exp(-(np.arange(-3, 4) ** 2) / 50.0)
    kernel = np.outer(kernel, kernel) / kernel.sum() ** 2
    smooth = ndimage.convolve(error[rows, columns], kernel, mode="constant")
    weighted = np.where(mask, np.minimum(error, smooth), error * (2 - 0.5 ** (distance / 5)))
    found = mask.sum() - weighted[mask].sum()
    recall, precision = found / mask.sum(), found / (found + weighted[~mask].sum() + 1e-300)
    return 2 * recall * precision / (recall + precision + 1e-300)


@pytest.mark.slow
@settings(max_examples=150)
@given(
    st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(
        lambda shape: st.tuples(
            arrays(np.uint8, shape), arrays(np.bool_, shape, elements=st.sampled_from([False, False, True]))
        )
    )
)
def test_weighted_f_is_its_definition_with_ties_as_scipy_breaks_them(drawn):
    answer, mask = drawn[0] / 255, drawn[1]
    if mask.any():
        assert weighted_f(answer, mask.astype(float)) == pytest.approx(plain_weighted_f(answer, mask), abs=1e-12)


def test_e_measure_by_hand():
    # One pixel of four is right, at every level: found and wanted are a quarter each. Both agree in all four pixels,
    # which are 1 each, and the definition divides by three.
    matte = np.array([[1.0, 0.0], [0.0, 0.0]])
    one_level_takes_all = (255 * 4 / 3 + (1 * (2 * 0 + 1) ** 2 / 4 * 4) / 3) / 256
    assert e_measure(matte, matte) == pytest.approx(one_level_takes_all)
    assert e_measure(1 - np.ones((2, 2)), np.zeros((2, 2))) == pytest.approx(255 * 4 / 3 / 256)


def test_empty_and_full_truths():
    empty, full, grey = np.zeros((6, 9)), np.ones((6, 9)), np.full((6, 9), 0.25)
    assert (s_measure(empty, empty), s_measure(full, empty), s_measure(grey, empty)) == (1, 0, 0.75)
    assert (s_measure(empty, full), s_measure(full, full), s_measure(grey, full)) == (0, 1, 0.25)
    assert [weighted_f(answer, empty) for answer in (empty, full, grey)] == [0, 0, 0]
    assert weighted_f(full, full) == pytest.approx(1)
    # The smoothing takes nothing for right beyond the frame: a small image is forgiven much.
    assert weighted_f(empty, full) == pytest.approx(plain_weighted_f(empty, full > 0))
    assert e_measure(full, full) == pytest.approx(54 / 53)


def test_where_the_s_measure_has_no_value_it_is_0():
    single, row = np.zeros((2, 7, 7))
    single[3, 3] = 1
    row[6] = 1
    for truth in (single, 1 - single, row):
        assert s_measure(truth, truth) == 0


def test_one_pixel_has_no_e_measure_but_the_others():
    pixel = np.ones((1, 1))
    assert s_measure(pixel, pixel) == 1
    assert weighted_f(pixel, pixel) == pytest.approx(1)
    with pytest.raises(UsageError, match="the image is one pixel"):
        e_measure(pixel, pixel)


def test_the_truth_is_cut_above_128_of_255():
    levels = np.array([[0, 127, 128, 129, 255]]) / 255
    assert is_foreground(levels).tolist() == [[False, False, False, True, True]]


def test_mba_of_a_square_by_hand():
    # At 64 x 64 every radius is 1, and the ellipse a cross: outside 4 x 32 pixels (no corners), inside 4 x 32 - 4.
    # Moved by one column, 32 of the first are found and 32 of the second are not.
    assert mba(square(), square()) == 1
    assert mba(np.roll(square(), 1, axis=1), square()) == pytest.approx(1 - 64 / 252)
    assert mba(1 - square(), square()) == 0


def test_mba_of_a_straight_edge_by_hand():
    # At 400 x 500 the radii are 1, 1, 1, 2, 2: bands of 2 and of 4 columns, one of them wrong. The frame is no edge.
    truth = np.zeros((400, 500))
    truth[:, :250] = 1
    answer = np.zeros((400, 500))
    answer[:, :251] = 1
    assert mba(answer, truth) == pytest.approx((3 * 1 / 2 + 2 * 3 / 4) / 5)


def test_mba_looks_at_the_bands_alone_and_at_128():
    far = square()
    far[:5] = 1.0
    assert mba(far, square()) == 1
    assert mba(square() * 129 / 255, square()) == 1
    # Half of the bands' pixels, nearly: those inside are missed.
    assert mba(square() * 128 / 255, square()) == pytest.approx(1 - 124 / 252)


@pytest.mark.parametrize(("truth", "word"), [(np.zeros((9, 9)), "empty"), (np.ones((9, 9)), "full")])
def test_mba_needs_a_contour(truth, word):
    with pytest.raises(UsageError, match=f"the truth is {word}: it has no contour"):
        mba(square(9, 2, 5), truth)


@pytest.mark.parametrize("metric", [*ALL, mba])
def test_sizes_must_agree(metric):
    with pytest.raises(UsageError):
        metric(np.zeros((8, 9)), np.zeros((9, 8)))


def test_an_error_very_far_away_weighs_2():
    truth, answer = np.zeros((2, 1, 50_000))
    truth[0, 0] = answer[0, 0] = answer[0, -1] = 1
    # Recall 1, precision 1 in 1 + 2.
    assert weighted_f(answer, truth) == pytest.approx(0.5)
