"""``penstock score frechet``: FID and KID between two sets of pictures, and statistics of a set kept in a file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.families.score_options import PrecisionOption

if TYPE_CHECKING:
    from penstock.evaluation.picture_sets import FrechetScore
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
    precision: PrecisionOption = "f32",
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
    from penstock.evaluation.picture_sets import FeatureNetwork, frechet_score, read_pictures
    from penstock.extractors.precision import PRECISIONS, choose_arithmetic, one_of
    from penstock.foundation.errors import UsageError
    from penstock.metrics.frechet_statistics import check_name, save_statistics

    if reference is None and save is None:
        raise UsageError("there is nothing to compare with", where="B", todo="Give a second set, or --save FILE.npz.")
    if save is not None:
        check_name(save)
    network = FeatureNetwork(weights, choose_arithmetic(one_of(PRECISIONS, precision, where="--precision")))
    a = read_pictures(measured, network)
    if save is not None:
        save_statistics(a, save)
        if reference is None:
            _say_saved(a, save, as_json)
            return
    assert reference is not None  # noqa: S101 (said above)
    b = read_pictures(reference, network)
    _show(frechet_score(a, b), a.extractor is not None and b.extractor is not None, as_json)


def _say_saved(pictures: PictureSet, path: Path, as_json: bool) -> None:
    from penstock.families.registry import shown_extractor

    if as_json:
        typer.echo(json.dumps({"saved": str(path), "n": pictures.n, "extractor": pictures.extractor}, indent=2))
        return
    typer.echo(f"{path}: statistics of {pictures.n} pictures, extractor {shown_extractor(pictures.extractor or '')}")


def _show(found: FrechetScore, said: bool, as_json: bool) -> None:
    """Print the values; ``said``: both sets name their extractor."""
    from penstock.families.registry import shown_extractor

    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(found), indent=2))
        return
    kid = "none: a file of statistics lacks the features" if found.kid is None else f"{found.kid:.5f}"
    typer.echo(f"FID        {found.fid:.3f}")
    typer.echo(f"KID        {kid}")
    typer.echo(f"pictures   {_count(found.n)} against {_count(found.n_reference)}")
    typer.echo(f"extractor  {shown_extractor(found.extractor) if found.extractor else 'not known'}")
    if not said:
        typer.echo("A file of statistics does not say its extractor: the values hold only if it is the same.")
    if min(count or FEW for count in (found.n, found.n_reference)) < FEW:
        typer.echo("FID is biased upwards with few pictures: compare it only at these numbers, or use KID.")


def _count(pictures: int | None) -> str:
    return "?" if pictures is None else str(pictures)
