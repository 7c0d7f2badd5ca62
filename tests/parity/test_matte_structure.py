"""S-measure, weighted F, E-measure and HCE against PySODMetrics, skeletons and colours against scikit-image.

Needs the parity environment (pysodmetrics, scikit-image): its ``python -m pytest tests/parity``.
"""

import cv2
import numpy as np
import py_sod_metrics
import pytest
import skimage.color
import skimage.morphology
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from penstock.metrics.ciede2000 import ciede2000, lab_of_srgb
from penstock.metrics.fringe import BACKGROUNDS, fringe
from penstock.metrics.matte_corrections import hce
from penstock.metrics.matte_structure import e_measure, s_measure, weighted_f
from penstock.metrics.skeleton import skeleton

pytestmark = pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")

METRICS = {
    s_measure: (py_sod_metrics.Smeasure, lambda found: found["sm"]),
    weighted_f: (py_sod_metrics.WeightedFmeasure, lambda found: found["wfm"]),
    e_measure: (py_sod_metrics.Emeasure, lambda found: found["em"]["curve"].mean()),
    hce: (py_sod_metrics.HumanCorrectionEffortMeasure, lambda found: found["hce"]),
}
many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def reference(metric, answer, truth, *, normalize=False):
    kind, value_of = METRICS[metric]
    measure = kind()
    if normalize:
        measure.step(answer, truth)
    else:
        measure.step(answer / 255, truth > 128, normalize=False)
    return float(value_of(measure.get_results()))


def hairy(seed, side=320):
    """A body with soft strands, and an answer that lost some, lies a pixel off and is grey in places."""
    random = np.random.default_rng(seed)
    pictures = []
    for keep in (1.0, 0.7):
        canvas = np.zeros((side, side + 60), np.uint8)
        cv2.ellipse(canvas, (side // 2, side * 2 // 3), (side // 4, side // 3), 0, 0, 360, 255, -1)
        for strand in range(60):
            walk = np.random.default_rng([seed, strand])
            turns = np.cumsum(walk.normal(0, 0.2, 30)) - walk.uniform(0, np.pi)
            steps = np.cumsum(np.stack([np.cos(turns), np.sin(turns)], axis=1) * 5, axis=0)
            if walk.random() < keep:
                points = np.rint(side / 2 + steps).astype(np.int32)
                cv2.polylines(canvas, [points], False, 255, int(walk.integers(1, 4)), cv2.LINE_AA)
        pictures.append(cv2.GaussianBlur(canvas, (0, 0), 0.8))
    truth, answer = pictures
    noise = random.normal(0, 25, answer.shape) * (random.random(answer.shape) < 0.2)
    return np.clip(np.roll(answer, 1, axis=1) + noise, 0, 255).astype(np.uint8), truth


levels = st.one_of(
    st.sampled_from([0, 255]), st.sampled_from([0, 0, 0, 127, 128, 129, 255, 255, 255]), st.integers(0, 255)
)
shapes = st.tuples(st.integers(1, 24), st.integers(1, 24)).filter(lambda shape: shape[0] * shape[1] > 1)
pairs = shapes.flatmap(
    lambda shape: st.tuples(*[arrays(np.uint8, shape, elements=levels, fill=st.sampled_from([0, 255, 128]))] * 2)
)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
@many
@given(pairs)
def test_small_mattes(metric, drawn):
    answer, truth = drawn
    assert metric(answer / 255, truth / 255) == pytest.approx(reference(metric, answer, truth), abs=1e-9)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
@many
@given(pairs, st.integers(1, 9), st.integers(-3, 3))
def test_blots_and_the_same_blots_moved(metric, drawn, size, shift):
    answer, truth = (np.kron(small, np.ones((size, size), np.uint8)) for small in drawn)
    mixed = np.where(truth > 128, np.roll(truth, shift, axis=0), answer)
    assert metric(mixed / 255, truth / 255) == pytest.approx(reference(metric, mixed, truth), abs=1e-9)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
@pytest.mark.parametrize("seed", range(4))
def test_hair(metric, seed):
    answer, truth = hairy(seed)
    assert metric(answer / 255, truth / 255) == pytest.approx(reference(metric, answer, truth), abs=1e-9)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_empty_full_and_a_single_pixel(metric):
    single = np.zeros((20, 31), np.uint8)
    single[7, 11] = 255
    all_of_them = (np.zeros_like(single), np.full_like(single, 255), single, 255 - single, np.full_like(single, 77))
    for answer in all_of_them:
        for truth in all_of_them:
            found = metric(answer / 255, truth / 255)
            assert found == pytest.approx(reference(metric, answer, truth), abs=1e-9)


@pytest.mark.parametrize("metric", [s_measure, weighted_f, e_measure])
@many
@given(pairs)
def test_min_max(metric, drawn):
    answer, truth = drawn
    found = metric(answer / 255, truth / 255, min_max=True)
    assert found == pytest.approx(reference(metric, answer, truth, normalize=True), abs=1e-9)


def test_the_skeleton_of_every_neighbourhood():
    # Each 3 x 3 pattern, alone and with each 3 x 3 pattern beside it.
    patterns = (np.arange(512)[:, None] >> np.arange(9) & 1).astype(bool).reshape(512, 3, 3)
    for pattern in patterns:
        canvas = np.zeros((512, 5, 8), bool)
        canvas[:, 1:4, 1:4], canvas[:, 1:4, 4:7] = pattern, patterns
        sheet = canvas.reshape(512 * 5, 8)
        assert np.array_equal(skeleton(sheet), skimage.morphology.skeletonize(sheet))


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9, 1.0])
def test_skeletons_of_noise_and_blots(share):
    random = np.random.default_rng(8)
    for shape in ((64, 64), (1, 50), (40, 3), (37, 120)):
        noise = random.random(shape)
        for mask in (noise < share, cv2.GaussianBlur(noise, (0, 0), 2) < 0.4 + share / 6):
            assert np.array_equal(skeleton(mask), skimage.morphology.skeletonize(mask))


def test_colours():
    random = np.random.default_rng(4)
    srgb = random.random((3, 50_000))
    near = np.clip(srgb + random.normal(0, 0.03, srgb.shape) * random.choice([0, 1e-3, 1, 10], srgb.shape[1]), 0, 1)
    one, other = lab_of_srgb(srgb), lab_of_srgb(near)
    assert pytest.approx(skimage.color.rgb2lab(srgb.T), abs=1e-9) == one.T
    assert ciede2000(one, other) == pytest.approx(skimage.color.deltaE_ciede2000(one.T, other.T), abs=1e-7)
    # Far beyond what a screen shows, and without chroma.
    wide = np.stack([random.uniform(0, 100, 50_000), *random.normal(0, 50, (2, 50_000))])
    grey = wide * np.array([[1], [0], [0]])
    for first, second in ((wide, wide[:, ::-1]), (wide, grey), (grey, wide), (grey, grey[:, ::-1])):
        wanted = skimage.color.deltaE_ciede2000(first.T, second.T)
        assert ciede2000(first, second) == pytest.approx(wanted, abs=1e-7)


def test_fringe():
    answer_alpha, levels_of_truth = hairy(3, side=160)
    random = np.random.default_rng(3)
    shape = levels_of_truth.shape
    foreground = np.clip(random.normal(110, 50, (*shape, 3)), 0, 255).astype(np.uint8)
    bled = np.clip(foreground + random.normal(20, 20, (*shape, 3)), 0, 255).astype(np.uint8)
    answer, alpha = np.dstack([bled, answer_alpha]), levels_of_truth / 255
    band = cv2.dilate(((alpha > 0) & (alpha < 1)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    total = 0.0
    for background in np.array(BACKGROUNDS) / 255:
        shown, wanted = (
            skimage.color.rgb2lab(a[..., None] * colour / 255 + (1 - a[..., None]) * background)
            for colour, a in ((bled, answer_alpha / 255), (foreground, alpha))
        )
        total += skimage.color.deltaE_ciede2000(wanted, shown)[band].mean()
    assert fringe(answer, foreground, alpha) == pytest.approx(total / 4, abs=1e-7)
