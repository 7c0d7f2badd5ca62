"""``penstock score frechet``: FID and KID between two sets of pictures, and statistics of a set kept in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from penstock.extractors.image_features import ImageFeatures
    from penstock.metrics.frechet_statistics import PictureSet

FEW = 2048
"""Below this many pictures a set FID's bias is worth a word."""


def frechet(
    measured: Annotated[Path, typer.Argument(metavar="A", help="Pictures to measure.", show_default=False)],
    reference: Annotated[
        Path | None, typer.Argument(metavar="B", help="Pictures to compare with.", show_default=False)
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.onnx",
            help="The feature network; by default PENSTOCK_FRECHET, or the stand-in portrait-features.",
            show_default=False,
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npz",
            help="Keep the statistics of A in this file, which may stand for A or B afterwards. B may be left out.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: fid, kid, n (pictures of A), n_reference (of B), extractor.")
    ] = False,
) -> None:
    """FID and KID between two sets of pictures: how far A lies from B.

    A set is a directory of pictures and videos, read as a suite's reference is (notes and licences are passed over,
    anything else is refused); a video; or a file of statistics (.npz), one that --save wrote, or one of another program
    with 'mu' and 'sigma', which has a FID but no KID. Videos count with 25 frames a second, as in a release's
    measurements. Pictures may differ in size. Values are comparable only under the same extractor, FID only at the
    same numbers of pictures.

    Example: penstock score frechet answers/ reference.mp4 --weights inception.onnx --json

    Example: penstock score frechet reference/ --save reference.npz
    """
    from penstock.foundation.errors import UsageError
    from penstock.metrics.frechet_statistics import check_name, distances, save_statistics

    if reference is None and save is None:
        raise UsageError("there is nothing to compare with", where="B", todo="Give a second set, or --save FILE.npz.")
    if save is not None:
        check_name(save)
    network = _Network(weights)
    a = _pictures(measured, network)
    if save is not None:
        save_statistics(a, save)
        if reference is None:
            _say_saved(a, save, as_json)
            return
    assert reference is not None  # noqa: S101 (said above)
    b = _pictures(reference, network)
    fid, kid = distances(a, b)
    _show(fid, kid, a, b, as_json)


class _Network:
    """The feature network, loaded when a set of pictures first needs it."""

    def __init__(self, weights: Path | None) -> None:
        self._weights = weights
        self._loaded: ImageFeatures | None = None

    def get(self) -> ImageFeatures:
        from penstock.extractors.image_features import ImageFeatures
        from penstock.extractors.shipped import extractor_file

        if self._loaded is None:
            self._loaded = ImageFeatures.load(extractor_file("image-features", self._weights))
        return self._loaded


def _pictures(path: Path, network: _Network) -> PictureSet:
    """The statistics of a set; of two pictures at least."""
    from penstock.foundation.errors import UsageError
    from penstock.media.sets import FPS, read_set
    from penstock.media.video import read_frames
    from penstock.metrics.frechet_statistics import SUFFIX, PictureSet, read_statistics

    if path.suffix == SUFFIX and path.is_file():
        return read_statistics(path)
    features = network.get().features(read_set(path) if path.is_dir() else read_frames(path, fps=FPS))
    if len(features) < 2:
        raise UsageError("there is only one picture", where=str(path), todo="Give at least two pictures or frames.")
    return PictureSet.of(features, network.get().label)


def _say_saved(pictures: PictureSet, path: Path, as_json: bool) -> None:
    from penstock.families.registry import shown_extractor

    if as_json:
        typer.echo(json.dumps({"saved": str(path), "n": pictures.n, "extractor": pictures.extractor}, indent=2))
        return
    typer.echo(f"{path}: statistics of {pictures.n} pictures, extractor {shown_extractor(pictures.extractor or '')}")


def _show(fid: float, kid: float | None, a: PictureSet, b: PictureSet, as_json: bool) -> None:
    from penstock.families.registry import shown_extractor

    extractor = a.extractor or b.extractor
    if as_json:
        values = {"fid": fid, "kid": kid, "n": a.n, "n_reference": b.n, "extractor": extractor}
        typer.echo(json.dumps(values, indent=2))
        return
    typer.echo(f"FID        {fid:.3f}")
    typer.echo("KID        none: a file of statistics lacks the features" if kid is None else f"KID        {kid:.5f}")
    typer.echo(f"pictures   {_count(a)} against {_count(b)}")
    typer.echo(f"extractor  {shown_extractor(extractor) if extractor else 'not known'}")
    if a.extractor is None or b.extractor is None:
        typer.echo("A file of statistics does not say its extractor: the values hold only if it is the same.")
    if min(pictures.n or FEW for pictures in (a, b)) < FEW:
        typer.echo("FID is biased upwards with few pictures: compare it only at these numbers, or use KID.")


def _count(pictures: PictureSet) -> str:
    return "?" if pictures.n is None else str(pictures.n)
