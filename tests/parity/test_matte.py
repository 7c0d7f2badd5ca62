"""Values of alpha mattes against scikit-image and PySODMetrics, on mattes with hair.

The MATLAB evaluation's numbers for SAD, MSE, Grad and Conn, and comparisons with SciPy, are in tests/unit/metrics.
"""

import cv2
import numpy as np
import py_sod_metrics
import pytest
from scipy import ndimage
from skimage import measure, metrics

from penstock.metrics.matte import matte_scores
from penstock.metrics.matte_edges import hausdorff, iou
from penstock.metrics.matte_errors import conn, mae

SHAPES = [(240, 320), (301, 199)]


def mattes(seed, shape):
    """An answer and a truth, uint8: a blob with strands, one softer and shifted a little."""
    random = np.random.default_rng(seed)
    truth = np.zeros(shape, np.uint8)
    cv2.circle(truth, (shape[1] // 2, shape[0] // 2), min(shape) // 4, 255, -1, cv2.LINE_AA)
    for _ in range(40):
        ends = (random.random((2, 2)) * (shape[1], shape[0])).astype(int)
        cv2.line(truth, ends[0].tolist(), ends[1].tolist(), int(random.integers(60, 256)), 1, cv2.LINE_AA)
    answer = cv2.GaussianBlur(np.roll(truth, 1, axis=1), (0, 0), 0.8)
    answer[:20, :20] = np.maximum(answer[:20, :20], random.integers(0, 200, (20, 20), dtype=np.uint8))
    return answer, truth


def edge(mask):
    """Foreground with a 4-neighbour in the background, the frame being none."""
    return mask & ~ndimage.binary_erosion(mask, border_value=1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_hausdorff_of_scikit_image(seed, shape):
    answer, truth = (matte / 255 for matte in mattes(seed, shape))
    expected = metrics.hausdorff_distance(edge(answer >= 0.5), edge(truth >= 0.5))
    assert hausdorff(answer, truth).hd100 == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_connectivity_by_scikit_images_labels(seed, shape):
    answer, truth = (matte / 255 for matte in mattes(seed, shape))
    level, alive = np.zeros(shape), np.ones(shape, bool)
    for number in range(1, 11):
        labels = measure.label((answer >= number / 10) & (truth >= number / 10), connectivity=1)
        alive &= labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
        level[alive] = number / 10
    phi = [1 - (matte - level) * (matte - level >= 0.15) for matte in (answer, truth)]
    assert conn(answer, truth) == pytest.approx(np.abs(phi[0] - phi[1]).sum() / 1000, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_mae_and_iou_of_pysodmetrics(seed):
    """Both stretch or cut the prediction in their own way, which leaves these as they are: 0 to 255, truth 0 or 255."""
    answer, truth = mattes(seed, SHAPES[0])
    truth = np.where(truth >= 128, 255, 0).astype(np.uint8)
    answer[0, 0], answer[-1, -1] = 0, 255
    error = py_sod_metrics.MAE()
    error.step(pred=answer, gt=truth)
    assert mae(answer / 255, truth / 255) == pytest.approx(error.get_results()["mae"], rel=1e-12)
    overlap = py_sod_metrics.FmeasureV2(
        {"iou": py_sod_metrics.IOUHandler(with_dynamic=False, with_adaptive=False, with_binary=True)}
    )
    overlap.step(pred=answer, gt=truth)
    assert iou(answer / 255, truth / 255) == pytest.approx(overlap.get_results()["iou"]["binary"], rel=1e-12)


def test_the_set_has_the_same_values():
    answer, truth = (matte / 255 for matte in mattes(0, SHAPES[0]))
    found = matte_scores(answer, truth)
    assert (found.hd100, found.conn) == (hausdorff(answer, truth).hd100, conn(answer, truth))
