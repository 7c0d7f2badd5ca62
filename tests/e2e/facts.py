"""Where the throwaway cluster is: what ``tests.cluster`` wrote down when it came up."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

DEFAULT_STATE = "/var/lib/penstock-cluster"


@dataclass(frozen=True)
class S3:
    """The object store."""

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str


@dataclass(frozen=True)
class Facts:
    """``cluster.json``."""

    kubeconfig: Path
    kubectl_program: str
    tkn_program: str
    registry: str
    """``host:port``, plain http."""
    git: str
    """Base URL of the git server."""
    git_root: Path
    """Where its bare repositories lie."""
    gitea: str
    """Base URL of Gitea."""
    s3: S3
    state: Path

    def kubectl(self, *arguments: str, stdin: str | None = None, timeout_s: float = 300) -> str:
        """Run kubectl; returns what it printed. Raises AssertionError with what it complained about."""
        return self._run([self.kubectl_program, *arguments], stdin, timeout_s)

    def tkn(self, *arguments: str, timeout_s: float = 180) -> str:
        """Run tkn as an engineer does; returns what it printed. Raises AssertionError likewise."""
        return self._run([self.tkn_program, *arguments], None, timeout_s)

    def log_of_run(self, namespace: str, name: str) -> str:
        """What the pods of a PipelineRun that ended wrote, container by container.

        Not by ``tkn pipelinerun logs``: of a step that failed it sometimes panics (tkn 0.46, *send on closed channel*).
        """
        selector = f"tekton.dev/pipelineRun={name},tekton.dev/taskRun"
        return self.kubectl("logs", "--namespace", namespace, "--selector", selector, "--all-containers", "--tail=-1")

    def _run(self, command: list[str], stdin: str | None, timeout_s: float) -> str:
        environment = dict(os.environ) | {"KUBECONFIG": str(self.kubeconfig), "NO_COLOR": "1"}
        done = subprocess.run(
            command, input=stdin or "", env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
        )
        words = " ".join([Path(command[0]).name, *command[1:]])
        assert done.returncode == 0, f"$ {words}\nended with {done.returncode}: {done.stderr or done.stdout}"
        return done.stdout


def read_facts() -> Facts:
    """Read ``cluster.json``. Raises AssertionError if no cluster is up: its tests cannot pass without one."""
    state = Path(os.environ.get("PENSTOCK_CLUSTER_DIR", DEFAULT_STATE))
    file = state / "cluster.json"
    assert file.is_file(), f"there is no cluster ({file} is missing): run `make cluster-up` first, or `make e2e`"
    content = json.loads(file.read_text(encoding="utf-8"))
    return Facts(
        kubeconfig=Path(content["kubeconfig"]),
        kubectl_program=content["kubectl"],
        tkn_program=content["tkn"],
        registry=content["registry"],
        git=content["git"].rstrip("/"),
        git_root=Path(content["git_root"]),
        gitea=content["gitea"]["url"],
        s3=S3(**{name: content["s3"][name] for name in ("endpoint", "access_key", "secret_key", "bucket")}),
        state=state,
    )
