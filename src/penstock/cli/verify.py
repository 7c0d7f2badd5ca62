"""``penstock verify``: whether an image, with its weights, is one whose verdict was signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.releases import CREDENTIALS_HELP, LOCAL_STORE, STORE_HELP

if TYPE_CHECKING:
    from penstock.releases.provenance import Provenance


def verify(
    image: Annotated[str, typer.Argument(help="IMAGE@sha256:DIGEST, or the digest alone.")],
    key: Annotated[Path, typer.Option(help="The public key in PEM, such as penstock.pub.")],
    weights: Annotated[
        list[Path] | None,
        typer.Option(
            help="A file of weights that the service is given; once for each. All that were judged, no other."
        ),
    ] = None,
    store: Annotated[str, typer.Option(help=STORE_HELP)] = LOCAL_STORE,
    provenance_key: Annotated[
        Path | None,
        typer.Option(
            help="The builder's public key, such as that of Tekton Chains, or a folder of them: its provenance has to"
            " lie beside the image, and say that the Task 'build' built it of the commit that was judged."
        ),
    ] = None,
    tls_verify: Annotated[bool, typer.Option(help="The registry has a certificate.")] = True,
    registry_credentials: Annotated[
        Path | None, typer.Option(help="A directory with the registry's config.json.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: the verdicts that hold.")] = False,
    store_credentials: Annotated[Path | None, typer.Option(help=CREDENTIALS_HELP)] = None,
) -> None:
    """Verify that an image has passed: a verdict over its digest, signed with this key, not withdrawn, no waiver over.

    Exit codes: 0 it has; 1 no signed verdict says so, with the reason.

    Example: penstock verify registry.example.org/sonic@sha256:4f2a… --key penstock.pub --weights unet.pth --store s3://releases/penstock
    """
    from dataclasses import asdict
    from datetime import UTC, datetime

    from penstock.foundation.errors import UsageError, one_line
    from penstock.foundation.files import sha256_file
    from penstock.releases.attest import verify as verified
    from penstock.releases.envelope import public_key
    from penstock.releases.provenance import built_for
    from penstock.releases.trusted_weights import trusted_keys
    from penstock.releases.verified_image import hold_provenance, named_image
    from penstock.sources.image_registry import authfile
    from penstock.store.open import existing_store

    named = named_image(image)
    given = None
    if weights is not None:
        for path in weights:
            if not path.is_file():
                raise UsageError("there is no such file", where=str(path))
        given = {str(path): sha256_file(path) for path in weights}
    proofs = verified(
        existing_store(store, store_credentials),
        named.digest,
        public_key(key),
        weights=given,
        today=datetime.now(UTC).date(),
    )
    built: list[Provenance] = []
    if provenance_key is not None:
        builders = trusted_keys(provenance_key) if provenance_key.is_dir() else [public_key(provenance_key)]
        access = authfile(registry_credentials)
        proofs, built = hold_provenance(
            named, proofs, builders, tls_verify=tls_verify, authfile=access, where="--provenance-key"
        )
    if as_json:
        rows = [
            {
                **proof.pair.model_dump(mode="json"),
                "signed": proof.time,
                "attestation": proof.key,
                "sbom": None if proof.sbom is None else asdict(proof.sbom),
                "provenance": [asdict(one) for one in built_for(proof, built)],
            }
            for proof in proofs
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    for proof in proofs:
        pair = proof.pair
        which = {True: ", with its exported file", False: ", with its trained weights (use_onnx=false)", None: ""}
        typer.echo(one_line(f"{pair.model} {pair.version} passed, signed {proof.time}{which[pair.use_onnx]}"))
        if pair.elsewhere is not None:
            of = f"{pair.elsewhere.compared} of its files are the commit's"
            typer.echo(one_line(f"  built elsewhere, given as {pair.elsewhere.given}: {of}"))
        for file in pair.weights:
            by = f", signed with the key {file.signed_by[:12]}" if file.signed_by else ""
            typer.echo(one_line(f"  weights {file.path} sha256:{file.sha256}{by}"))
        if proof.sbom_sha256 is not None:
            told = f"{proof.sbom.components} components, signed" if proof.sbom is not None else "not signed"
            typer.echo(one_line(f"  bill of materials sha256:{proof.sbom_sha256}, {told}"))
        for one in built_for(proof, built):
            typer.echo(one_line(f"  built by {one.builder} of commit {pair.commit}"))
