"""``penstock suite digest``, ``fetch`` and ``push``: suites that do not lie in the model's repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.local_run.run_folder import OUT

if TYPE_CHECKING:
    from penstock.contract.suite_sources import SuiteSource

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def digest(
    folder: Annotated[Path, typer.Argument(help="The folder that suite.yaml lies in.", metavar="DIR")],
    as_json: AsJson = False,
) -> None:
    """Print the digest of a suite's files: what penstock.yaml says behind '#sha256='.

    It is the SHA-256 of the list of the files, as sha256sum prints it, sorted by path. A file SHA256SUMS right in the
    folder does not count.

    Example: penstock suite digest suite
    """
    from penstock.suites.suite_files import digest_of, listed

    files = listed(folder)
    found = digest_of(files)
    typer.echo(json.dumps({"sha256": found, "files": len(files)}, indent=2) if as_json else found)


def push(
    folder: Annotated[Path, typer.Argument(help="The folder that suite.yaml lies in.", metavar="DIR")],
    to: Annotated[
        str, typer.Argument(help="oci://HOST/PATH (named by its digest, no tag is given), or s3://BUCKET/PREFIX.")
    ],
    credentials: Annotated[
        Path | None,
        typer.Option(
            help="For S3, a directory with AWS_ACCESS_KEY_ID and so on, the environment by default; for a registry, "
            "one with config.json."
        ),
    ] = None,
    tls_verify: Annotated[bool, typer.Option(help="The registry has a certificate.")] = True,
    as_json: AsJson = False,
) -> None:
    """Put a suite where model repositories can name it, and print the address for penstock.yaml.

    The same files have the same address, pushed by anyone, at any time. What is there already is not sent again.

    Example: penstock suite push suite s3://test-assets/portraits

    Example: penstock suite push suite oci://registry.example.org/suites/portraits
    """
    from penstock.suites.pushed_suite import push_suite

    address = push_suite(folder, to, credentials=credentials, tls_verify=tls_verify)
    typer.echo(json.dumps({"suite": address}, indent=2) if as_json else f"suite: {address}")


def fetch(
    directory: Annotated[Path, typer.Argument(help="The model's repository.", metavar="[DIR]")] = Path(),
    bound: Annotated[
        Path | None,
        typer.Option("--from", help="Where the contract says workspace://suite: the folder with it.", metavar="DIR"),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where runs, cache and store lie.")] = OUT,
    basic_auth: Annotated[
        Path | None, typer.Option(help="For git: a directory with username and password, or .git-credentials.")
    ] = None,
    store_credentials: Annotated[
        Path | None, typer.Option(help="For S3: a directory with AWS_ACCESS_KEY_ID and so on.")
    ] = None,
    registry_credentials: Annotated[
        Path | None, typer.Option(help="For a registry: a directory with config.json.")
    ] = None,
    allow_http: Annotated[bool, typer.Option("--allow-http", help="Accept git+http:// without TLS.")] = False,
    tls_verify: Annotated[bool, typer.Option(help="The registry has a certificate.")] = True,
    as_json: AsJson = False,
) -> None:
    """Bring the suite that penstock.yaml names from elsewhere, so that check, lint and power find it.

    It lies in .penstock/suite of the repository, which git leaves alone. A run brings it by itself.

    Example: penstock suite fetch .
    """
    from penstock.sources.image_registry import authfile
    from penstock.suites.provided_suite import provide_suite
    from penstock.suites.suite_fetch import SuiteAccess

    access = SuiteAccess(
        basic_auth=basic_auth,
        allow_http=allow_http,
        store_credentials=store_credentials,
        authfile=authfile(registry_credentials),
        tls_verify=tls_verify,
        bound=bound,
    )
    origin = provide_suite(_named(directory), directory, out / "cache", access, fresh=False)
    if as_json:
        typer.echo(json.dumps(origin.model_dump(mode="json"), indent=2))
        return
    typer.echo(f"brought {origin.address}, files sha256:{origin.files}")


def _named(directory: Path) -> SuiteSource:
    from penstock.contract.load import load_contract
    from penstock.contract.suite_sources import suite_source
    from penstock.foundation.errors import UsageError

    contract = load_contract(directory)
    source = suite_source(contract.suite)
    if source is None:
        raise UsageError(
            "the suite lies in the repository", where="penstock.yaml: suite", todo="There is nothing to fetch."
        )
    return source
