"""mAP against pycocotools' ``COCOeval``, on random pictures.

Needs the parity environment (pycocotools): its ``python -m pytest tests/parity``.
"""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from penstock.metrics.detection import PictureBoxes, mean_average_precision

LABELS = ("book", "cat", "cup")


@st.composite
def pictures(draw):
    """Pictures with true boxes and what was found: moved, doubled, missing, of another label; tied confidences."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    spread, decimals = draw(st.sampled_from([0.5, 3.0, 10.0])), draw(st.sampled_from([1, 6]))
    made = []
    for _ in range(draw(st.integers(1, 30))):
        true = np.hstack([random.uniform(0, 200, (n := random.integers(0, 6), 2)), random.uniform(8, 60, (n, 2))])
        names = random.choice(LABELS, n)
        again = random.integers(0, n, random.integers(0, 10)) if n else np.zeros(0, int)
        found = np.clip(true[again] + random.normal(0, spread, (len(again), 4)), 1, None)
        said = np.where(random.random(len(again)) < 0.2, random.choice([*LABELS, "ghost"], len(again)), names[again])
        confidence = random.uniform(0, 1, len(again)).round(decimals)
        made.append(PictureBoxes(tuple(map(str, said)), found, confidence, tuple(map(str, names)), true))
    return made


def coco_map(made):
    numbers = {label: number for number, label in enumerate([*LABELS, "ghost"], 1)}
    truths, found = [], []
    for image, picture in enumerate(made, 1):
        for label, box in zip(picture.true_labels, picture.true_boxes, strict=True):
            one = {"id": len(truths) + 1, "image_id": image, "category_id": numbers[label], "bbox": box.tolist()}
            truths.append(one | {"area": float(box[2] * box[3]), "iscrowd": 0})
        for label, box, confidence in zip(picture.labels, picture.boxes, picture.confidence, strict=True):
            one = {"image_id": image, "category_id": numbers[label], "bbox": box.tolist(), "score": float(confidence)}
            found.append(one)
    coco = COCO()
    coco.dataset = {
        "images": [{"id": number} for number in range(1, len(made) + 1)],
        "annotations": truths,
        "categories": [{"id": number, "name": label} for label, number in numbers.items()],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        judged = COCOeval(coco, coco.loadRes(found), "bbox")
        judged.evaluate()
        judged.accumulate()
    precision = judged.eval["precision"][:, :, :, 0, 2]  # overlaps, recalls, labels; all sizes, 100 boxes
    return np.array([row[row > -1].mean() for row in precision])


@settings(max_examples=200, deadline=None)
@given(pictures())
def test_map(made):
    if not any(each.true_labels for each in made) or not any(each.labels for each in made):
        return
    assert mean_average_precision(made)[0] == pytest.approx(coco_map(made), abs=1e-12)
