"""``penstock score frechet``: FID and KID between two sets of pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from penstock.extractors.image_features import Features, ImageFeatures

FEW = 2048
"""Below this many pictures a set FID's bias is worth a word."""


def frechet(
    measured: Annotated[Path, typer.Argument(metavar="DIR_OR_VIDEO_A", help="Pictures to measure.")],
    reference: Annotated[Path, typer.Argument(metavar="DIR_OR_VIDEO_B", help="Pictures to compare with.")],
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.onnx",
            help="The feature network; by default PENSTOCK_FRECHET, or the stand-in portrait-features.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: fid, kid, n (pictures of A), n_reference (of B), extractor.")
    ] = False,
) -> None:
    """FID and KID between two sets of pictures: how far A lies from B.

    A set is a directory of pictures and videos, read as a suite's reference is (notes and licences are passed over,
    anything else is refused), or a video, of which every frame counts. Pictures may differ in size. Values are
    comparable only under the same extractor, FID only at the same numbers of pictures.

    Example: penstock score frechet outputs/ reference.mp4 --weights inception.onnx --json
    """
    from penstock.extractors.image_features import ImageFeatures
    from penstock.extractors.shipped import extractor_file
    from penstock.metrics.frechet import frechet_distance, kernel_distance
    from penstock.metrics.registry import shown_extractor

    network = ImageFeatures.load(extractor_file("image-features", weights))
    sets = [_features(network, path) for path in (measured, reference)]
    result = {
        "fid": frechet_distance(*sets),
        "kid": kernel_distance(*sets),
        "n": len(sets[0]),
        "n_reference": len(sets[1]),
        "extractor": network.name,
    }
    if as_json:
        typer.echo(json.dumps(result, indent=2))
        return
    typer.echo(f"FID        {result['fid']:.3f}")
    typer.echo(f"KID        {result['kid']:.5f}")
    typer.echo(f"pictures   {result['n']} against {result['n_reference']}")
    typer.echo(f"extractor  {shown_extractor(network.name)}")
    if min(len(features) for features in sets) < FEW:
        typer.echo("FID is biased upwards with few pictures: compare it only at these numbers, or use KID.")


def _features(network: ImageFeatures, path: Path) -> Features:
    """Features of the pictures of a directory or a video; two at least."""
    from penstock.errors import UsageError
    from penstock.media.sets import read_set
    from penstock.media.video import read_frames

    features = network.features(read_set(path) if path.is_dir() else read_frames(path, fps=None))
    if len(features) < 2:
        raise UsageError("there is only one picture", where=str(path), todo="Give at least two pictures or frames.")
    return features
