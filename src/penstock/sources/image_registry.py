"""How an image registry is spoken to: its credentials, as Kubernetes mounts them, and whether it has a certificate."""

from __future__ import annotations

from pathlib import Path

from penstock.foundation.errors import UsageError


def authfile(credentials: Path | None) -> Path | None:
    """The file of a docker-config secret, under either of the names that it is mounted with; ``None`` without a secret.

    Raises:
        UsageError: the directory holds neither.
    """
    if credentials is None:
        return None
    for name in ("config.json", ".dockerconfigjson"):
        if (credentials / name).is_file():
            return credentials / name
    raise UsageError(
        "there is no config.json",
        where="registry-credentials",
        todo="Bind a secret of type kubernetes.io/dockerconfigjson.",
    )


def registry_access(tls_verify: bool, authfile: Path | None) -> list[str]:
    """Options of buildah and skopeo.

    Args:
        tls_verify: whether the registry's certificate is checked; ``False`` also speaks plain http.
        authfile: its credentials.
    """
    return [f"--tls-verify={str(tls_verify).lower()}", *([f"--authfile={authfile}"] if authfile else [])]
