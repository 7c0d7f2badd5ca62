"""Certificates, keys and kubeconfigs of the cluster, made with openssl; one authority signs everything."""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

DAYS = 3650
CA = "ca"
SERVICE_ACCOUNTS = "service-accounts"


@dataclass(frozen=True)
class Identity:
    """A certificate: file name, who it is for the API server, and the names and addresses that it serves under."""

    name: str
    user: str
    group: str = ""
    hosts: tuple[str, ...] = ()
    kubeconfig: bool = False


def identities(settings: Settings) -> list[Identity]:
    """Every certificate that the cluster uses."""
    api_hosts = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    return [
        Identity(
            "apiserver",
            "kube-apiserver",
            hosts=(*api_hosts, settings.api_service, settings.address, "127.0.0.1", "localhost"),
        ),
        Identity("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
        Identity("front-proxy", "front-proxy"),
        Identity("admin", "admin", "system:masters", kubeconfig=True),
        Identity(
            "controller-manager", "system:kube-controller-manager", hosts=("127.0.0.1", "localhost"), kubeconfig=True
        ),
        Identity("scheduler", "system:kube-scheduler", hosts=("127.0.0.1", "localhost"), kubeconfig=True),
        Identity(
            "kubelet",
            f"system:node:{settings.node}",
            "system:nodes",
            hosts=(settings.node, settings.address),
            kubeconfig=True,
        ),
        Identity("kube-proxy", "system:kube-proxy", kubeconfig=True),
        Identity("kube-router", "kube-router", "system:masters", kubeconfig=True),
    ]


def certificate(settings: Settings, name: str) -> Path:
    """Path of a certificate."""
    return settings.pki / f"{name}.crt"


def key(settings: Settings, name: str) -> Path:
    """Path of a private key."""
    return settings.pki / f"{name}.key"


def kubeconfig(settings: Settings, name: str) -> Path:
    """Path of the kubeconfig of an identity."""
    return settings.kubeconfig if name == "admin" else settings.pki / f"{name}.kubeconfig"


def make(settings: Settings) -> None:
    """Make what is missing; what is there stays, as running parts hold it."""
    settings.pki.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not certificate(settings, CA).exists():
        _make_authority(settings)
    if not key(settings, SERVICE_ACCOUNTS).exists():
        _new_key(key(settings, SERVICE_ACCOUNTS))
    for identity in identities(settings):
        if not certificate(settings, identity.name).exists():
            _make_certificate(settings, identity)
        if identity.kubeconfig and not kubeconfig(settings, identity.name).exists():
            _write_whole(
                kubeconfig(settings, identity.name), json.dumps(_kubeconfig(settings, identity.name), indent=1)
            )


def _make_authority(settings: Settings) -> None:
    _new_key(key(settings, CA))
    with tempfile.TemporaryDirectory(dir=settings.pki) as temporary:
        made = Path(temporary) / "crt"
        _openssl(
            "req",
            "-x509",
            "-new",
            "-key",
            key(settings, CA),
            "-days",
            str(DAYS),
            "-subj",
            "/CN=penstock-cluster",
            "-out",
            made,
        )
        made.rename(certificate(settings, CA))


def _make_certificate(settings: Settings, identity: Identity) -> None:
    _new_key(key(settings, identity.name))
    subject = f"/O={identity.group}/CN={identity.user}" if identity.group else f"/CN={identity.user}"
    extensions = ["basicConstraints=CA:FALSE", "extendedKeyUsage=clientAuth,serverAuth"]
    if identity.hosts:
        extensions.append(
            "subjectAltName=" + ",".join(f"{'IP' if _is_address(host) else 'DNS'}:{host}" for host in identity.hosts)
        )
    with tempfile.TemporaryDirectory(dir=settings.pki) as temporary:
        request, extras, made = (Path(temporary) / name for name in ("csr", "ext", "crt"))
        extras.write_text("\n".join(extensions) + "\n")
        _openssl("req", "-new", "-key", key(settings, identity.name), "-subj", subject, "-out", request)
        authority: list[str | Path] = [
            "-CA",
            certificate(settings, CA),
            "-CAkey",
            key(settings, CA),
            "-CAserial",
            f"{temporary}/serial",
            "-CAcreateserial",
        ]
        _openssl("x509", "-req", "-in", request, *authority, "-days", str(DAYS), "-extfile", extras, "-out", made)
        made.rename(certificate(settings, identity.name))


def _new_key(target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        made = Path(temporary) / "key"
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", made)
        made.chmod(0o600)
        made.rename(target)


def _kubeconfig(settings: Settings, name: str) -> dict[str, object]:
    cluster = {"server": settings.api, "certificate-authority-data": _base64(certificate(settings, CA))}
    user = {
        "client-certificate-data": _base64(certificate(settings, name)),
        "client-key-data": _base64(key(settings, name)),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "penstock-cluster", "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "penstock-cluster", "context": {"cluster": "penstock-cluster", "user": name}}],
        "current-context": "penstock-cluster",
    }


def _write_whole(target: Path, text: str) -> None:
    temporary = target.with_name(f".{target.name}.tmp")
    temporary.write_text(text)
    temporary.chmod(0o600)
    temporary.replace(target)


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _is_address(host: str) -> bool:
    return host.replace(".", "").isdigit()


def _openssl(*args: str | Path) -> None:
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorldError(
            done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "failed", where=f"openssl {args[0]}"
        )
