"""Where the throwaway cluster keeps its things, and the addresses, ports and names that it uses."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import binaries


@dataclass(frozen=True)
class Settings:
    """Everything that the parts of the cluster have to agree on.

    ``cache`` outlives the cluster (built binaries, base images); ``state`` is the cluster itself and goes with it.
    """

    cache: Path
    state: Path
    node: str = "penstock"
    address: str = "10.245.0.1"
    """The node's InternalIP, on a dummy interface of ours; every service of the host listens on it."""
    host_interface: str = "pen-host"
    bridge: str = "pen0"
    pod_cidr: str = "10.244.0.0/16"
    service_cidr: str = "10.96.0.0/16"
    api_service: str = "10.96.0.1"
    dns_service: str = "10.96.0.10"
    api_port: int = 6443
    etcd_port: int = 12379
    etcd_peer_port: int = 12380
    controller_manager_port: int = 10257
    scheduler_port: int = 10259
    kubelet_port: int = 10250
    kubelet_health_port: int = 10248
    proxy_health_port: int = 10256
    proxy_metrics_port: int = 10249
    router_health_port: int = 20244
    registry_port: int = 5000
    git_port: int = 8080
    gitea_port: int = 3000
    s3_port: int = 7070
    canary_port: int = 18000
    """Of Traefik, and the three ports above it: its metrics, the controller's health and metrics."""
    prometheus_port: int = 18010
    watch_port: int = 18020
    """Of ``penstock watch --serve`` in those tests."""
    gpus: int = 1

    @classmethod
    def from_environment(cls) -> Settings:
        """``PENSTOCK_CACHE`` and ``PENSTOCK_CLUSTER_DIR``, or their defaults."""
        cache = os.environ.get("PENSTOCK_CACHE") or "~/.cache/penstock"
        state = os.environ.get("PENSTOCK_CLUSTER_DIR") or "/var/lib/penstock-cluster"
        return cls(cache=Path(cache).expanduser().absolute(), state=Path(state).expanduser().absolute())

    @property
    def cgroup(self) -> str:
        """Every process of the cluster, on the host and in containers, lives in this cgroup; by it they are ended."""
        return self.state.name

    @property
    def logs(self) -> Path:
        """One log for each part: ``NAME.log``; the pods' logs are below ``pods/``."""
        return self.state / "logs"

    @property
    def pids(self) -> Path:
        """One record for each part that runs: ``NAME.json``."""
        return self.state / "pids"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.state / "pki"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.state / "kubeconfig"

    @property
    def facts(self) -> Path:
        """``cluster.json``: how tests find everything."""
        return self.state / "cluster.json"

    @property
    def api(self) -> str:
        """URL of kube-apiserver."""
        return f"https://{self.address}:{self.api_port}"

    @property
    def registry(self) -> str:
        """HOST:PORT of the OCI registry, plain HTTP."""
        return f"{self.address}:{self.registry_port}"

    @property
    def git(self) -> str:
        """URL of the git server."""
        return f"http://{self.address}:{self.git_port}"

    @property
    def gitea(self) -> str:
        """URL of Gitea."""
        return f"http://{self.address}:{self.gitea_port}"

    @property
    def s3(self) -> str:
        """URL of the S3 server."""
        return f"http://{self.address}:{self.s3_port}"

    @property
    def containerd(self) -> Path:
        """containerd's root, state and configuration."""
        return self.state / "containerd"

    @property
    def containerd_socket(self) -> Path:
        """containerd's socket; never the system's."""
        return self.containerd / "containerd.sock"

    def binary(self, name: str) -> Path:
        """Path of a program that we build: ``kubectl``, ``tkn``, ``versitygw``, ``pipeline/controller``, …"""
        return binaries.path(self.cache, name)
