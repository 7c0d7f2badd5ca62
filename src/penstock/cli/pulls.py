"""``penstock pulls``: runs for pull and merge requests."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer


def serve_pulls(
    config: Annotated[Path, typer.Option(help="pulls.yaml: forges, repositories, people.")],
    secrets: Annotated[Path, typer.Option(help="The folder with the files that it names.")],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0: any free one.", min=0, max=65535)] = 8080,
) -> None:
    """Take the webhooks of GitHub, GitLab and Gitea, and try each pull request on the cluster.

    It runs in a pod, as the account penstock-pulls (tekton/services/pulls.yaml, docs/pulls.md).

    Example: penstock pulls serve --config pulls.yaml --secrets /etc/penstock/secrets --host 0.0.0.0
    """
    from penstock.pulls.desk_file import load_desk, read_secrets
    from penstock.pulls.desk_runs import DeskRuns
    from penstock.pulls.pulls_server import serve_desk
    from penstock.tekton.cluster_runs import custom_objects_here

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every address
    settings = load_desk(config)  # what is wrong with the file is said wherever it is tried
    known = read_secrets(settings.file, secrets)
    runs = DeskRuns(*custom_objects_here(where="pulls", manifest="tekton/services/pulls.yaml"))
    serve_desk(settings, known, runs, host=host, port=port)
