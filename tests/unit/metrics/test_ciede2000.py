"""CIEDE2000 against the pairs that its implementers publish, and L*a*b* against scikit-image's numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.metrics.ciede2000 import ciede2000, lab_of_srgb

SHARMA = np.array(
    [
        (50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425),
        (50, 3.1571, -77.2803, 50, 0, -82.7485, 2.8615),
        (50, 2.8361, -74.02, 50, 0, -82.7485, 3.4412),
        (50, -1.3802, -84.2814, 50, 0, -82.7485, 1),
        (50, -1.1848, -84.8006, 50, 0, -82.7485, 1),
        (50, -0.9009, -85.5211, 50, 0, -82.7485, 1),
        (50, 0, 0, 50, -1, 2, 2.3669),
        (50, -1, 2, 50, 0, 0, 2.3669),
        (50, 2.49, -0.001, 50, -2.49, 0.0009, 7.1792),
        (50, 2.49, -0.001, 50, -2.49, 0.001, 7.1792),
        (50, 2.49, -0.001, 50, -2.49, 0.0011, 7.2195),
        (50, 2.49, -0.001, 50, -2.49, 0.0012, 7.2195),
        (50, -0.001, 2.49, 50, 0.0009, -2.49, 4.8045),
        (50, -0.001, 2.49, 50, 0.001, -2.49, 4.8045),
        (50, -0.001, 2.49, 50, 0.0011, -2.49, 4.7461),
        (50, 2.5, 0, 50, 0, -2.5, 4.3065),
        (50, 2.5, 0, 73, 25, -18, 27.1492),
        (50, 2.5, 0, 61, -5, 29, 22.8977),
        (50, 2.5, 0, 56, -27, -3, 31.9030),
        (50, 2.5, 0, 58, 24, 15, 19.4535),
        (50, 2.5, 0, 50, 3.1736, 0.5854, 1),
        (50, 2.5, 0, 50, 3.2972, 0, 1),
        (50, 2.5, 0, 50, 1.8634, 0.5757, 1),
        (50, 2.5, 0, 50, 3.2592, 0.335, 1),
        (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
        (63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630),
        (61.2901, 3.7196, -5.3901, 61.4292, 2.248, -4.962, 1.8731),
        (35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645),
        (22.7233, 20.0904, -46.694, 23.0331, 14.973, -42.5619, 2.0373),
        (36.4612, 47.858, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146),
        (90.8027, -2.0831, 1.441, 91.1528, -1.6435, 0.0447, 1.4441),
        (90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381),
        (6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377),
        (2.0776, 0.0795, -1.135, 0.9033, -0.0636, -0.5514, 0.9082),
    ]
)
"""L*, a*, b* of both and their difference: Sharma, Wu, Dalal (2005), table 1."""
lab = st.tuples(st.floats(0, 100), st.floats(-100, 100), st.floats(-100, 100))


def column(*colour):
    return np.array(colour, float)[:, None]


def test_the_published_pairs():
    one, other, published = SHARMA[:, :3].T, SHARMA[:, 3:6].T, SHARMA[:, 6]
    assert ciede2000(one, other) == pytest.approx(published, abs=5e-5)
    assert ciede2000(other, one) == pytest.approx(published, abs=5e-5)


@pytest.mark.slow
@given(lab)
def test_a_colour_does_not_differ_from_itself(colour):
    assert ciede2000(column(*colour), column(*colour)) == 0


@pytest.mark.slow
@given(lab, lab)
def test_each_pair_is_computed_for_itself(one, other):
    alone = ciede2000(column(*one), column(*other))
    among = ciede2000(np.hstack([SHARMA[:, :3].T, column(*one)]), np.hstack([SHARMA[:, 3:6].T, column(*other)]))
    assert among[-1] == pytest.approx(alone[0], rel=1e-12, abs=1e-12)


def test_greys_differ_in_lightness_alone():
    # At a mean lightness of 50 its weight is 1.
    assert ciede2000(column(40, 0, 0), column(60, 0, 0)) == pytest.approx(20)


def test_hues_that_are_opposite_to_the_last_digit():
    # 0 and 180 degrees: the mean is 90, whichever comes first; the weight there is
    # 1 - 0.17 cos 60 - 0.24 + 0.32 cos 276 - 0.2 cos 297.
    stretch = 1.5 - 0.5 * np.sqrt(10**7 / (10**7 + 25**7))
    degrees = np.radians([60, 276, 297])
    weight = 1 - 0.17 * np.cos(degrees[0]) - 0.24 + 0.32 * np.cos(degrees[1]) - 0.2 * np.cos(degrees[2])
    chroma = 10 * stretch
    wanted = 2 * chroma / (1 + 0.015 * chroma * weight)
    assert ciede2000(column(50, 10, 0), column(50, -10, 0)) == pytest.approx(wanted)
    assert ciede2000(column(50, -10, 0), column(50, 10, 0)) == pytest.approx(wanted)


def test_lab_of_primaries_and_greys():
    # skimage.color.rgb2lab
    colours = np.array([[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.5], [0.02, 0.01, 0.03]]).T
    wanted = np.array(
        [
            [0, 0, 0],
            [100, -0.002454937862, 0.00465342115405],
            [53.2405879437, 80.0923082257, 67.2027510444],
            [87.7350994883, -86.1830297444, 83.1797031754],
            [32.295672565, 79.1855909118, -107.857300207],
            [53.3889647411, -0.00146849652377, 0.00278358686541],
            [0.948742549248, 1.37590233282, -1.69492272026],
        ]
    )
    assert pytest.approx(wanted, abs=1e-9) == lab_of_srgb(colours).T
