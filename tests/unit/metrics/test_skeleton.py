"""The skeleton is scikit-image's: the counts and digests were made with ``skimage.morphology.skeletonize`` (0.26)."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.unit.metrics.strand_mattes import pair

from penstock.metrics.skeleton import skeleton

ANSWER, TRUTH = 0, 1
masks = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(lambda shape: arrays(np.bool_, shape))


@pytest.mark.parametrize(
    ("name", "which", "pixels", "digest"),
    [
        ("hair", ANSWER, 371, "688d3b646f1dc069"),
        ("hair", TRUTH, 716, "cee5b71d28ced3d4"),
        ("shifted", ANSWER, 104, "0fdb221c93fe3c59"),
        ("shifted", TRUTH, 104, "f3a6dd623f7c1a63"),
        ("noise", ANSWER, 258, "e08810672a702025"),
        ("noise", TRUTH, 1, "c289381a88ab2917"),
        ("parts", ANSWER, 133, "e77b2c4c775addca"),
        ("parts", TRUTH, 225, "eea40249d992ac3f"),
        ("cut", ANSWER, 68, "6984e1eab69a0f9c"),
        ("cut", TRUTH, 69, "49f59d8061f7150e"),
        ("torn", ANSWER, 882, "58c6a17006461053"),
        ("torn", TRUTH, 386, "7dd98425dff8ea22"),
    ],
)
def test_it_is_scikit_images(name, which, pixels, digest):
    found = skeleton(pair(name)[which] > 128)
    assert int(found.sum()) == pixels
    assert hashlib.sha256(np.packbits(found).tobytes()).hexdigest()[:16] == digest


@pytest.mark.slow
@given(masks)
def test_what_is_found_is_part_of_the_mask_and_does_not_depend_on_what_lies_around(mask):
    found = skeleton(mask)
    assert not (found & ~mask).any()
    assert np.array_equal(skeleton(np.pad(mask, 3))[3:-3, 3:-3], found)


@pytest.mark.slow
@given(masks)
def test_nothing_is_left_that_could_go(mask):
    found = skeleton(mask)
    assert np.array_equal(skeleton(found), found)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (7, 7)])
def test_empty_stays_empty_and_a_pixel_stays(shape):
    assert not skeleton(np.zeros(shape, bool)).any()
    single = np.zeros(shape, bool)
    single[shape[0] // 2, shape[1] // 2] = True
    assert np.array_equal(skeleton(single), single)


def test_parts_that_do_not_touch_are_thinned_each_for_itself():
    left, right = np.zeros((2, 30, 60), bool)
    left[4:20, 3:20] = True
    right[2:28, 30:55] = True
    assert np.array_equal(skeleton(left | right), skeleton(left) | skeleton(right))


def test_a_view_of_other_strides_is_the_same_mask():
    mask = pair("hair")[TRUTH] > 128
    assert np.array_equal(skeleton(np.asfortranarray(mask)), skeleton(mask))
    assert np.array_equal(skeleton(mask[::2, ::3]), skeleton(mask[::2, ::3].copy()))
