"""``penstock comment``: a run's summary as the comment on a pull request, kept up to date."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.foundation.errors import UsageError, printable
from penstock.local_run.run_folder import OUT

if TYPE_CHECKING:
    from penstock.bundle.models import Run
    from penstock.notices.forge_places import Address, Forge, Kind

VARIABLES = {
    "github": ("PENSTOCK_FORGE_TOKEN", "GITHUB_TOKEN"),
    "gitlab": ("PENSTOCK_FORGE_TOKEN", "GITLAB_TOKEN"),
    "gitea": ("PENSTOCK_FORGE_TOKEN", "GITEA_TOKEN"),
}


def comment(
    bundle: Annotated[str, typer.Option(help="The run: its name, a version, a tag, or its bundle's directory.")],
    github: Annotated[
        str | None, typer.Option(help="OWNER/REPO#12, OWNER/REPO@COMMIT, or OWNER/REPO: what the run's commit is in.")
    ] = None,
    gitlab: Annotated[str | None, typer.Option(help="GROUP/PROJECT!12, or GROUP/PROJECT.")] = None,
    gitea: Annotated[
        str | None, typer.Option(help="OWNER/REPO#12, or OWNER/REPO: what the run's commit is in. Needs --api.")
    ] = None,
    api: Annotated[
        str | None, typer.Option(help="The API of a server of your own: https://HOST/api/v3, …/api/v4, …/api/v1.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="Holds the token. Else: PENSTOCK_FORGE_TOKEN, GITHUB_TOKEN and their like.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Where the run lies, if it is named.")] = OUT,
    store: Annotated[str, typer.Option(help="Where releases are kept, if one is named; RUNS/store by default.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the comment, send nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Write a run's summary below a pull request, or update the one that is there.

    Example: penstock comment --bundle 1.1.0 --github example/sonic#12
    """
    from penstock.bundle.directory import Bundle
    from penstock.local_run.run_names import find_bundle
    from penstock.notices.pull_request import comment_text, marker

    found = Bundle(find_bundle(bundle, out=runs, store=store))
    run, text = found.run(), comment_text(found)
    if dry_run:
        typer.echo(text, nl=False)  # every text of others in it is made plain already
        return
    from penstock.notices.forge import put_comment
    from penstock.notices.forge_places import open_place

    forge, address = _where(run, {"github": github, "gitlab": gitlab, "gitea": gitea}, api, token_file)
    posted = put_comment(lambda: open_place(forge, address), marker(run), text)
    if as_json:
        typer.echo(json.dumps({"action": posted.action if posted else "none", "url": posted.url if posted else None}))
    elif posted is None:
        typer.echo("no open merge request has this commit: nothing was written")
    else:
        typer.echo(f"{posted.action}: {printable(posted.url)}")


def _where(run: Run, given: dict[Kind, str | None], api: str | None, token_file: Path | None) -> tuple[Forge, Address]:
    from penstock.notices.forge_places import GITHUB, GITLAB, Forge, parse_address

    named = [(kind, text) for kind, text in given.items() if text is not None]
    if len(named) != 1:
        raise UsageError("give one of --github, --gitlab and --gitea", todo="For example --github example/sonic#12.")
    kind, text = named[0]
    base = api or {"github": GITHUB, "gitlab": GITLAB}.get(kind)
    if base is None:
        raise UsageError("no server is named", where="--gitea", todo="Give --api https://HOST/api/v1 as well.")
    address = parse_address(kind, text)
    if address.number is None and not address.commit:
        if run.source is None:
            raise UsageError("the run's record names no commit", where="run.json", todo="Give the number: …#12.")
        address = parse_address(kind, f"{address.path}@{run.source.commit}")
    return Forge(kind, base, _token(kind, token_file)), address


def _token(kind: str, file: Path | None) -> str:
    from penstock.foundation.files import read_regular

    if file is not None:
        try:
            return read_regular(file, max_bytes=1 << 16, where=str(file)).decode("utf-8").strip()
        except UnicodeDecodeError:
            raise UsageError("not UTF-8 text", where=str(file)) from None
    for name in VARIABLES[kind]:
        if os.environ.get(name, "").strip():
            return os.environ[name].strip()
    raise UsageError("there is no token", todo=f"Set {' or '.join(VARIABLES[kind])}, or give --token-file.")
