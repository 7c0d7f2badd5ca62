"""kubectl, as the cluster's administrator."""

from __future__ import annotations

import subprocess

from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

TIMEOUT_S = 300


class KubectlFailed(WorldError):
    """kubectl said no; carries what it said."""


def kubectl(settings: Settings, *args: str, stdin: str | None = None) -> str:
    """Run kubectl and return what it printed.

    Raises:
        KubectlFailed: with kubectl's own words.
    """
    argv = [
        str(settings.binary("kubectl")),
        f"--kubeconfig={settings.kubeconfig}",
        f"--cache-dir={settings.state}/kubectl",
        *args,
    ]
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise KubectlFailed(f"no answer within {TIMEOUT_S} s", where=f"kubectl {' '.join(args)}") from None
    except FileNotFoundError:
        raise KubectlFailed(
            "is not built, or for another Go than the one on PATH", where=argv[0], todo="Run cluster-up."
        ) from None
    if done.returncode:
        raise KubectlFailed(done.stderr.strip() or f"status {done.returncode}", where=f"kubectl {' '.join(args)}")
    return done.stdout
