"""``penstock score verification``: EER and TAR at each FAR of a list of comparisons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def verification(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE.csv", help="Columns score, same (0 or 1), and perhaps identity_a, identity_b."),
    ],
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON: eer, eer_interval, tar (FAR to TAR; null where there are fewer than 10 / FAR impostor "
            "pairs), tar_interval, threshold, d_prime, n_genuine, n_impostor, n_identities, n_impostor_identities, "
            "intervals_by, det (threshold, FMR, FNMR), reasons (why a value is null), notes.",
        ),
    ] = False,
) -> None:
    """EER and TAR at FAR of comparisons, one a line, with intervals.

    A score is a similarity: the higher, the more alike. A comparison that failed, because no face was found, is not
    left out: give it a score below all others. With identities, intervals are by identity, and pairs of identities
    count as impostor pairs; without, intervals are by pair. docs/metrics.md says what each value is.

    Example: penstock score verification comparisons.csv --json
    """
    from penstock.families.face.pair_file import read_pairs
    from penstock.families.face.verification_text import verification_content, verification_lines
    from penstock.metrics.verification import det_points
    from penstock.metrics.verification_scores import verification_scores

    pairs, owners = read_pairs(file)
    found = verification_scores(pairs, owners)
    assert found is not None  # noqa: S101 (a file knows whose all its pairs are)
    if as_json:
        content = verification_content(found) | {"det": det_points(pairs)}
        typer.echo(json.dumps(content, indent=2, allow_nan=False))
        return
    typer.echo("\n".join(verification_lines(found)))
