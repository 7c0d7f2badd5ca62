"""``penstock serve``: the release book, a web application over the store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.releases import CREDENTIALS_HELP, LOCAL_STORE

KEY_VARIABLE = "PENSTOCK_BOOK_KEY"
MAX_LINK_DAYS = 90


def serve(
    store: Annotated[str, typer.Option(help="What is shown: a directory or s3://bucket/prefix.")] = LOCAL_STORE,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0: any free one.")] = 8765,
    tokens: Annotated[
        Path | None, typer.Option(help="Who may read: a file of lines 'NAME sha256:DIGEST OF A TOKEN'.")
    ] = None,
    user_header: Annotated[
        str, typer.Option(help="The header in which an authenticating proxy names the reader: X-Forwarded-User.")
    ] = "",
    proxy: Annotated[
        list[str] | None,
        typer.Option(help="Where that header is believed from: a network, 10.0.0.0/8; again for more."),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(help="A host name that the book is asked for by; any by default; again for more."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(help=f"A file with the key that signs links; {KEY_VARIABLE}, else one of this process."),
    ] = None,
    ratings: Annotated[
        Path | None, typer.Option(help="Let people rate blind pairs, at /rate: a file of raters' tokens, as --tokens.")
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(
            help="Show runs in progress as well, at /live: the folder they are made in (--out of penstock run)."
        ),
    ] = None,
    link_days: Annotated[int, typer.Option(help="How long a link to one run holds.", min=1, max=MAX_LINK_DAYS)] = 7,
    store_credentials: Annotated[Path | None, typer.Option(help=CREDENTIALS_HELP)] = None,
) -> None:
    """Show the releases, runs, reports and comparisons of a store in a browser. Nothing in the store is changed.

    With --ratings, people's ratings are added to it. Without --tokens and --user-header it listens on this machine
    alone.

    Example: penstock serve --store s3://releases/penstock --host 0.0.0.0 --tokens tokens.txt --key book.key
    """
    from penstock.book.access import LOOPBACK, Door, checked_key, networks, raters_door, read_key, read_tokens
    from penstock.book.server import QUICK, check_address, own_names, server
    from penstock.book.workbench import Workbench
    from penstock.services.listening import ListenAddress, bound
    from penstock.store.open import existing_store

    door = Door(
        user_header=user_header,
        proxies=networks(proxy) if proxy else LOOPBACK,
        tokens=read_tokens(tokens) if tokens is not None else {},
    )
    address = ListenAddress(host, port)
    check_address(address, door)
    given = os.fsencode(os.environ.get(KEY_VARIABLE, ""))  # its bytes, which need not be text
    secret = read_key(key) if key is not None else checked_key(given, where=KEY_VARIABLE) if given else None
    book = server(
        existing_store(store, store_credentials, patience=QUICK),
        door,
        key=secret,
        hosts=name or own_names(address, door),
        link_days=link_days,
        raters=raters_door(ratings, door.tokens) if ratings is not None else None,
        bench=Workbench(work) if work is not None else None,
    )
    if ratings is not None and door.open:
        what = "anybody who rates on this machine can read the book as well, which tells which model is which"
        typer.echo(f"note: {what}: give --tokens or --user-header for ratings that count", err=True)
    with bound(address) as listening:
        shown, at = listening.getsockname()[:2]
        typer.echo(
            f"the release book of {store}: http://{f'[{shown}]' if ':' in shown else shown}:{at}/  (Ctrl-C ends it)"
        )
        book.run(sockets=[listening])
