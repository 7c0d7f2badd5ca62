"""What makes the machine a node: kubelet, kube-proxy, kube-router as the enforcer of NetworkPolicy."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.cluster import pki, process
from tests.cluster.control_plane import answers
from tests.cluster.kubectl import KubectlFailed, kubectl
from tests.cluster.process import Part
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

NODE_READY_TIMEOUT_S = 90
OTHER_CARD = "amd.com/gpu"


def start(settings: Settings) -> None:
    """Start the three, wait until the node is Ready, and let it advertise its GPU."""
    configure_kubelet(settings)
    process.start_all(settings, [kubelet(settings), proxy(settings)])
    if not process.wait_until(lambda: node_is_ready(settings), NODE_READY_TIMEOUT_S):
        log = settings.logs / "kubelet.log"
        raise process.PartFailed("kubelet", f"the node was not Ready within {NODE_READY_TIMEOUT_S} s", log)
    # It asks for the node as it starts, and ends if there is none.
    process.start(settings, router(settings))
    advertise_gpu(settings)


def kubelet(settings: Settings) -> Part:
    """The kubelet. It starts pods by itself once the API server knows the node."""
    argv: list[str | Path] = [
        settings.binary("kubelet"),
        f"--config={settings.state}/kubelet.json",
        f"--kubeconfig={pki.kubeconfig(settings, 'kubelet')}",
        f"--root-dir={settings.state}/kubelet",
        f"--hostname-override={settings.node}",
        f"--node-ip={settings.address}",
        "--v=1",
    ]
    return Part("kubelet", argv, ready=lambda: answers(f"http://127.0.0.1:{settings.kubelet_health_port}/healthz"))


def proxy(settings: Settings) -> Part:
    """kube-proxy: service addresses, with iptables."""
    argv: list[str | Path] = [
        settings.binary("kube-proxy"),
        f"--kubeconfig={pki.kubeconfig(settings, 'kube-proxy')}",
        f"--hostname-override={settings.node}",
        f"--cluster-cidr={settings.pod_cidr}",
        "--proxy-mode=iptables",
        "--iptables-localhost-nodeports=false",
        f"--healthz-bind-address=127.0.0.1:{settings.proxy_health_port}",
        f"--metrics-bind-address=127.0.0.1:{settings.proxy_metrics_port}",
        # The machine's connection table stays as it is.
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0s",
        "--conntrack-tcp-timeout-close-wait=0s",
        "--oom-score-adj=0",
        "--v=1",
    ]
    return Part("kube-proxy", argv, ready=lambda: answers(f"http://127.0.0.1:{settings.proxy_health_port}/healthz"))


def router(settings: Settings) -> Part:
    """kube-router, for NetworkPolicy and nothing else."""
    argv: list[str | Path] = [
        settings.binary("kube-router"),
        "--run-firewall=true",
        "--run-router=false",
        "--run-service-proxy=false",
        "--enable-ipv6=false",
        f"--kubeconfig={pki.kubeconfig(settings, 'kube-router')}",
        f"--hostname-override={settings.node}",
        f"--service-cluster-ip-range={settings.service_cidr}",
        "--iptables-sync-period=1m",
        "--metrics-port=0",
        f"--health-port={settings.router_health_port}",
        "--v=1",
    ]
    return Part(
        "kube-router",
        argv,
        ready=lambda: answers(f"http://127.0.0.1:{settings.router_health_port}/healthz"),
        timeout_s=90,
    )


def configure_kubelet(settings: Settings) -> None:
    """Write the kubelet's configuration, with every path that can be set below the state directory."""
    for folder in ("kubelet", "kubelet/volume-plugins"):
        (settings.state / folder).mkdir(parents=True, exist_ok=True)
    (settings.state / "resolv.conf").write_text(upstream_resolvers(Path("/etc/resolv.conf").read_text()))
    configuration = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": settings.address,
        "port": settings.kubelet_port,
        "healthzPort": settings.kubelet_health_port,
        "containerRuntimeEndpoint": f"unix://{settings.containerd_socket}",
        "authentication": {
            "x509": {"clientCAFile": str(pki.certificate(settings, pki.CA))},
            "anonymous": {"enabled": False},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(pki.certificate(settings, "kubelet")),
        "tlsPrivateKeyFile": str(pki.key(settings, "kubelet")),
        "clusterDNS": [settings.dns_service],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{settings.state}/resolv.conf",
        # Pods stay below our cgroup, where cleanup finds what outlived containerd.
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{settings.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        # Without CAP_SYS_RESOURCE no score can be lowered.
        "oomScoreAdj": 0,
        "podLogsDir": f"{settings.logs}/pods",
        "volumePluginDir": f"{settings.state}/kubelet/volume-plugins",
        "maxPods": 250,
        "serializeImagePulls": False,
        # A disk that is rather full is this machine's normal; only a really full one is a reason to evict.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    }
    (settings.state / "kubelet.json").write_text(json.dumps(configuration, indent=1))


def upstream_resolvers(host: str) -> str:
    """The machine's name servers as pods can use them: one on loopback is out of a pod's reach."""
    lines = [line for line in host.splitlines() if not line.startswith(("nameserver 127.", "nameserver ::1"))]
    return "\n".join(lines) + "\n"


def node_is_ready(settings: Settings) -> bool:
    """Whether the node says so, and has addresses for pods."""
    path = '{.spec.podCIDR} {.status.conditions[?(@.type=="Ready")].status}'
    try:
        cidr, _, ready = kubectl(settings, "get", "node", settings.node, "-o", f"jsonpath={path}").partition(" ")
    except KubectlFailed:
        return False
    return bool(cidr) and ready == "True"


def advertise_gpu(settings: Settings) -> None:
    """Let the node offer ``nvidia.com/gpu``. There is no card: it proves the request and the queueing.

    A card of another maker is offered beside it: what serves does not wait for runs then, nor they for it.
    """
    resources = {"nvidia.com/gpu": str(settings.gpus), OTHER_CARD: "1"}
    patch = json.dumps({"status": {"capacity": resources, "allocatable": resources}})
    deadline = time.monotonic() + 30
    while not _offers_gpu(settings):
        # The kubelet forgets it once, when it registers the node anew.
        kubectl(settings, "patch", "node", settings.node, "--subresource=status", "--type=merge", "-p", patch)
        if time.monotonic() > deadline:
            raise WorldError("the node does not keep nvidia.com/gpu in its status", where=settings.node)


def _offers_gpu(settings: Settings) -> bool:
    path = r"jsonpath={.status.allocatable.nvidia\.com/gpu}"
    return kubectl(settings, "get", "node", settings.node, "-o", path) == str(settings.gpus)
