"""Image and weights of a run, each by digest."""

from __future__ import annotations

from penstock.bundle.models import Image, Run, WeightsFile
from penstock.report.pair import pair_of

RUN = Run(penstock="0", run_id="r")
IMAGE = Image(kind="image", url="r:5000/tiny", digest="sha256:" + "5" * 64)
FILES = [WeightsFile(path=f"weights/{name}", sha256=name * 64, bytes=1) for name in "ab"]


def test_an_image_and_its_weights() -> None:
    pair = pair_of(RUN.model_copy(update={"image": IMAGE, "weights": FILES[:1]}))
    assert pair.image == f"r:5000/tiny@{IMAGE.digest}"
    assert pair.weights == {"weights/a": "sha256:" + "a" * 64}
    assert str(pair) == "image sha256:555555555555 with weights sha256:aaaaaaaaaaaa"


def test_what_there_is_not() -> None:
    assert str(pair_of(RUN)) == "– with weights –"
    process = Image(kind="process", digest=IMAGE.digest)
    pair = pair_of(RUN.model_copy(update={"image": process, "weights": FILES}))
    assert str(pair) == "process sha256:555555555555 with weights sha256:aaaaaaaaaaaa and 1 more"
