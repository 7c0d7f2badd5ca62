"""Our own containerd: its configuration, its process, and which registry answers for which host name."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tests.cluster import process
from tests.cluster.oci import Image, Registry, write_layer
from tests.cluster.process import Part
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

PAUSE, PAUSE_TAG = "pause", "1"
CNI_PLUGINS = Path("/usr/lib/cni")
NAMESPACE = "k8s.io"
UNUSED_PLUGINS = (
    "snapshotter.v1.aufs",
    "snapshotter.v1.btrfs",
    "snapshotter.v1.devmapper",
    "snapshotter.v1.zfs",
    "tracing.processor.v1.otlp",
    "internal.v1.tracing",
)
MIRRORED = ("docker.io", "penstock.local")
"""Names that the local registry answers for, besides its own; nothing is asked elsewhere."""


def start(settings: Settings) -> None:
    """Configure and start containerd. The registry runs already."""
    push_pause(settings)
    configure(settings)
    process.start(settings, part(settings))


def push_pause(settings: Settings) -> None:
    """Push the image that holds each pod's network namespace."""
    registry = Registry(settings.registry)
    if registry.digest(PAUSE, PAUSE_TAG) is not None:
        return
    # tini reaps what a pod with a shared process namespace leaves; the sleep only keeps it there.
    programs = [("tini", Path("/usr/bin/tini-static")), ("busybox", Path("/bin/busybox").resolve())]
    with tempfile.TemporaryDirectory(dir=settings.state) as folder:
        layer = write_layer(Path(folder) / "layer", programs)
        command = ("/tini", "--", "/busybox", "sleep", "2147483647")
        registry.push(PAUSE, PAUSE_TAG, Image(layers=(layer,), entrypoint=command))


def part(settings: Settings) -> Part:
    """The process."""
    return Part(
        "containerd",
        ["containerd", "--config", settings.containerd / "config.toml"],
        ready=lambda: ctr_works(settings),
        # Its own temporary folder: a killed import leaves nothing in /tmp.
        env={"TMPDIR": str(_temporary(settings))},
    )


def configure(settings: Settings) -> None:
    """Write containerd's and CNI's configuration."""
    for folder in (settings.containerd, _temporary(settings), settings.state / "cni" / "net.d", registries(settings)):
        folder.mkdir(parents=True, exist_ok=True)
    for host in (*MIRRORED, settings.registry):
        (registries(settings) / host).mkdir(exist_ok=True)
        (registries(settings) / host / "hosts.toml").write_text(_hosts(settings))
    (settings.containerd / "config.toml").write_text(_config(settings))
    (settings.state / "cni" / "net.d" / "10-penstock.conflist").write_text(_network(settings))


def registries(settings: Settings) -> Path:
    """The folder of ``HOST/hosts.toml`` files: which registry answers for which host name."""
    return settings.containerd / "certs.d"


def ctr_works(settings: Settings) -> bool:
    """Whether containerd answers and its CRI plugin is up."""
    try:
        plugins = ctr(settings, "plugins", "list")
    except WorldError:
        return False
    return any(
        line.split()[1] == "cri" and line.split()[-1] == "ok" for line in plugins.splitlines() if "grpc.v1" in line
    )


def ctr(settings: Settings, *args: str) -> str:
    """Run containerd's client in the kubelet's namespace."""
    argv = [
        "ctr",
        "--address",
        str(settings.containerd_socket),
        "--connect-timeout",
        "5s",
        "--namespace",
        NAMESPACE,
        *args,
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorldError(done.stderr.strip() or f"status {done.returncode}", where=f"ctr {' '.join(args)}")
    return done.stdout


def _temporary(settings: Settings) -> Path:
    return settings.containerd / "tmp"


def _config(settings: Settings) -> str:
    home = settings.containerd
    # restrict_oom_score_adj: without CAP_SYS_RESOURCE a sandbox cannot lower its score and would not start.
    # netns_mounts_under_state_dir: no bind mounts in the machine's /var/run/netns.
    return f"""\
version = 2
root = "{home}/root"
state = "{home}/state"
disabled_plugins = [{", ".join(f'"io.containerd.{name}"' for name in UNUSED_PLUGINS)}]
oom_score = 0

[grpc]
  address = "{settings.containerd_socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{home}/opt"

[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  sandbox_image = "penstock.local/{PAUSE}:{PAUSE_TAG}"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  max_concurrent_downloads = 6
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{settings.state}/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{registries(settings)}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = "{home}/runc"
"""


def _hosts(settings: Settings) -> str:
    return f"""server = "http://{settings.registry}"

[host."http://{settings.registry}"]
  capabilities = ["pull", "resolve"]
"""


def _network(settings: Settings) -> str:
    # One default route, from ipam; isDefaultGateway would add a second and fail with "file exists".
    # No ipMasq: it makes chains for each pod; one rule of ours does it for all (network.py).
    subnet = settings.pod_cidr
    return f"""\
{{
  "cniVersion": "0.4.0",
  "name": "penstock",
  "plugins": [
    {{
      "type": "bridge",
      "bridge": "{settings.bridge}",
      "isGateway": true,
      "ipMasq": false,
      "hairpinMode": true,
      "ipam": {{
        "type": "host-local",
        "dataDir": "{settings.state}/cni/ipam",
        "ranges": [[{{"subnet": "{subnet.replace(".0.0/16", ".0.0/24")}"}}]],
        "routes": [{{"dst": "0.0.0.0/0"}}]
      }}
    }}
  ]
}}
"""
