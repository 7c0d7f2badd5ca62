"""The control plane: etcd, kube-apiserver, kube-controller-manager, kube-scheduler."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from pathlib import Path

from tests.cluster import pki, process
from tests.cluster.process import Part
from tests.cluster.settings import Settings


def start(settings: Settings) -> None:
    """etcd first, then the API server, then what speaks to it."""
    if not process.is_running(settings, "etcd"):
        # After an outage of its store its caches lag for a minute, and requests time out meanwhile: it starts afresh.
        process.stop(settings, "kube-apiserver", patience_s=1)
    process.start(settings, etcd(settings))
    process.start(settings, api_server(settings))
    process.start_all(settings, [controller_manager(settings), scheduler(settings)])


def etcd(settings: Settings) -> Part:
    """The store, on loopback alone: no pod can reach it."""
    client, peer = (f"http://127.0.0.1:{port}" for port in (settings.etcd_port, settings.etcd_peer_port))
    argv = [
        "etcd",
        f"--name={settings.node}",
        f"--data-dir={settings.state}/etcd",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster={settings.node}={peer}",
        "--log-level=warn",
        "--logger=zap",
    ]
    return Part("etcd", argv, ready=lambda: answers(f"{client}/health"))


def api_server(settings: Settings) -> Part:
    """The API server, on the node's address: pods reach it through the service 10.96.0.1."""
    ca = pki.certificate(settings, pki.CA)
    account_key = pki.key(settings, pki.SERVICE_ACCOUNTS)
    argv: list[str | Path] = [
        settings.binary("kube-apiserver"),
        f"--bind-address={settings.address}",
        f"--advertise-address={settings.address}",
        f"--secure-port={settings.api_port}",
        f"--etcd-servers=http://127.0.0.1:{settings.etcd_port}",
        f"--service-cluster-ip-range={settings.service_cidr}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--client-ca-file={ca}",
        f"--tls-cert-file={pki.certificate(settings, 'apiserver')}",
        f"--tls-private-key-file={pki.key(settings, 'apiserver')}",
        f"--kubelet-certificate-authority={ca}",
        f"--kubelet-client-certificate={pki.certificate(settings, 'apiserver-kubelet-client')}",
        f"--kubelet-client-key={pki.key(settings, 'apiserver-kubelet-client')}",
        # The node's name resolves nowhere; its address is enough for `kubectl logs`.
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={account_key}",
        f"--service-account-signing-key-file={account_key}",
        f"--proxy-client-cert-file={pki.certificate(settings, 'front-proxy')}",
        f"--proxy-client-key-file={pki.key(settings, 'front-proxy')}",
        f"--requestheader-client-ca-file={ca}",
        # One authority signs everything: only this name may speak for others.
        "--requestheader-allowed-names=front-proxy",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        "--enable-aggregator-routing=true",
        "--v=1",
    ]
    return Part("kube-apiserver", argv, ready=lambda: answers(f"{settings.api}/readyz", trust(settings)), timeout_s=120)


def controller_manager(settings: Settings) -> Part:
    """The controllers; gives the node its pod addresses and signs certificates."""
    name, ca = "controller-manager", pki.certificate(settings, pki.CA)
    argv: list[str | Path] = [
        settings.binary("kube-controller-manager"),
        f"--kubeconfig={pki.kubeconfig(settings, name)}",
        f"--authentication-kubeconfig={pki.kubeconfig(settings, name)}",
        f"--authorization-kubeconfig={pki.kubeconfig(settings, name)}",
        "--bind-address=127.0.0.1",
        f"--secure-port={settings.controller_manager_port}",
        f"--tls-cert-file={pki.certificate(settings, name)}",
        f"--tls-private-key-file={pki.key(settings, name)}",
        "--allocate-node-cidrs=true",
        f"--cluster-cidr={settings.pod_cidr}",
        f"--service-cluster-ip-range={settings.service_cidr}",
        f"--root-ca-file={ca}",
        f"--service-account-private-key-file={pki.key(settings, pki.SERVICE_ACCOUNTS)}",
        f"--cluster-signing-cert-file={ca}",
        f"--cluster-signing-key-file={pki.key(settings, pki.CA)}",
        "--use-service-account-credentials=true",
        # There is no other node to go to when this one is too busy to say that it lives.
        "--node-monitor-grace-period=300s",
        # One of each: there is nobody to elect.
        "--leader-elect=false",
        "--v=1",
    ]
    url = f"https://127.0.0.1:{settings.controller_manager_port}/healthz"
    return Part("kube-controller-manager", argv, ready=lambda: answers(url, trust(settings)))


def scheduler(settings: Settings) -> Part:
    """The scheduler."""
    name = "scheduler"
    argv: list[str | Path] = [
        settings.binary("kube-scheduler"),
        f"--kubeconfig={pki.kubeconfig(settings, name)}",
        f"--authentication-kubeconfig={pki.kubeconfig(settings, name)}",
        f"--authorization-kubeconfig={pki.kubeconfig(settings, name)}",
        "--bind-address=127.0.0.1",
        f"--secure-port={settings.scheduler_port}",
        f"--tls-cert-file={pki.certificate(settings, name)}",
        f"--tls-private-key-file={pki.key(settings, name)}",
        "--leader-elect=false",
        "--v=1",
    ]
    url = f"https://127.0.0.1:{settings.scheduler_port}/healthz"
    return Part("kube-scheduler", argv, ready=lambda: answers(url, trust(settings)))


def trust(settings: Settings) -> ssl.SSLContext:
    """Trust in the cluster's authority, and the administrator's certificate."""
    context = ssl.create_default_context(cafile=str(pki.certificate(settings, pki.CA)))
    context.load_cert_chain(pki.certificate(settings, "admin"), pki.key(settings, "admin"))
    return context


def answers(url: str, context: ssl.SSLContext | None = None) -> bool:
    """Whether a health endpoint says 200; proxies of the environment are not asked."""
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if context is not None:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    try:
        with urllib.request.build_opener(*handlers).open(url, timeout=3) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
