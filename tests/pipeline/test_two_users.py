"""Every step as on a cluster: build as root, the others as a user of their own.

The directories are made as the kubelet makes the sub-paths of a volume: root's, with the mode of the volume. Only root
can become two users; for anybody else all steps are that user's, and the order and the files are what is held.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.pipeline.pipeline_runs import environment, files
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.directory import Bundle

ROOT = Path(__file__).parents[2]
STEPS_USER = "65532"
# Python itself may lie where only root can read, such as in root's home: reading is allowed everywhere, writing is not
AS_A_USER = (
    *("setpriv", "--reuid", STEPS_USER, "--regid", STEPS_USER, "--clear-groups"),
    *("--inh-caps", "-all,+dac_read_search", "--ambient-caps", "-all,+dac_read_search"),
    *("--bounding-set", "-all,+dac_read_search"),
)
WORKSPACES = ("source", "bundle", "cache", "baseline", "layers")


class Volume:
    """The claim of a run, and the pipeline's tasks one by one, each as a process of its own."""

    def __init__(self, folder: Path, mode: int) -> None:
        self.folder = folder
        self.results: dict[str, dict[str, Any]] = {}
        for name in (*WORKSPACES, "store", "tmp"):
            (folder / name).mkdir()
            (folder / name).chmod(mode)
        (folder / "tmp").chmod(0o1777)
        self.bundle = Bundle(folder / "bundle")
        self.repository = new_repository(folder / "repository")
        commit(self.repository, files(), "good")
        git(self.repository, "tag", "v1.0.0")
        self.python = folder / "python"
        if os.getuid() == 0:
            subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", str(self.python)], check=True)

    def step(self, name: str, params: Mapping[str, str]) -> None:
        """Run a Task's containers, each as its user, with a umask that shares nothing."""
        spec = yaml.safe_load((ROOT / "tekton" / "tasks" / f"{name}.yaml").read_text(encoding="utf-8"))["spec"]
        values = {param["name"]: param.get("default") for param in spec.get("params", [])} | params
        folder = Path(tempfile.mkdtemp(prefix="results-", dir=self.folder / "tmp"))
        folder.chmod(0o777)
        replaced = {f"params.{key}": value for key, value in values.items()}
        replaced |= {f"results.{result['name']}.path": str(folder / result["name"]) for result in spec["results"]}
        for workspace in spec["workspaces"]:
            replaced[f"workspaces.{workspace['name']}.path"] = str(self.workspace(workspace["name"]) or "")
        for container in spec["steps"]:
            self.run(f"{name}/{container['name']}", container, replaced)
        self.results[name] = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}

    def run(self, name: str, container: Mapping[str, Any], replaced: Mapping[str, str]) -> None:
        words = [*container["command"], *container["args"]]
        for key, value in replaced.items():
            words = [word.replace(f"$({key})", value or "") for word in words]
        user = AS_A_USER if container["securityContext"]["runAsUser"] and os.getuid() == 0 else ()
        told = environment() | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        told |= {"TMPDIR": str(self.folder / "tmp"), "HOME": "/nonexistent"}
        shell = ("sh", "-c", 'umask 077; cd "$TMPDIR"; exec "$@"', "sh")
        done = subprocess.run([*user, *shell, *words], env=told, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"

    def workspace(self, name: str) -> Path | None:
        """Where a workspace lies; ``None`` for the secrets that this run does without."""
        if name == "runtime":
            return self.folder / "cache" / "runtime" / self.results["plan"]["runtime"]
        return self.folder / name if name in WORKSPACES else None

    def params(self, name: str) -> dict[str, str]:
        """What the pipeline passes on."""
        store = {"store": str(self.folder / "store")}
        plan = self.results.get("plan", {})
        # the model has no capabilities, whatever its step has: it runs on a Python that everybody may read
        python = {"python": str(self.python)} if os.getuid() == 0 else {}
        given: dict[str, dict[str, str]] = {
            "check": python,
            "clone": {"url": str(self.repository), "revision": "v1.0.0", "run-id": "r", "allow-local": "true"},
            "plan": {"shards": "2"},
            "infer": python | {"image": plan.get("image", ""), "runtime-id": plan.get("runtime", "")},
            "gate": store,
            "archive": store,
            "publish": store | {"verdict": self.results.get("gate", {}).get("verdict", "")},
            "notify": {"status": "Succeeded"},
        }
        return given.get(name, {})


@pytest.fixture(params=[0o777, 0o2775], ids=["open-to-all", "group-of-the-steps"])
def volume(request: pytest.FixtureRequest) -> Iterator[Volume]:
    folder = Path(tempfile.mkdtemp(prefix="penstock-volume-"))
    try:
        folder.chmod(0o755)
        made = Volume(folder, request.param)
        if request.param == 0o2775 and os.getuid() == 0:  # what the kubelet does for fsGroup
            for name in (*WORKSPACES, "store"):
                os.chown(folder / name, 0, int(STEPS_USER))
                (folder / name).chmod(request.param)
        yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_steps_of_two_users_share_one_volume(volume: Volume) -> None:
    def run(name: str, **more: str) -> None:
        volume.step(name, volume.params(name) | more)

    for name in ("clone", "check", "weights"):
        run(name)
    run("build")
    assert volume.bundle.run_file.stat().st_uid == os.getuid()
    run("plan")
    shards: list[str] = json.loads(volume.results["plan"]["shards"])
    assert shards == ["1/2", "2/2"]
    for shard in shards:
        run("infer", shard=shard)
    # root comes between, as when a lost build is tried again late: what it replaces must not lock the others out
    run("build")
    for name in ("collect", "measure", "gate", "report", "archive", "publish", "notify"):
        run(name)
    assert volume.results["gate"]["verdict"] == "pass"
    assert [call.status for call in volume.bundle.invocations()] == ["ok", "ok"]
    manifest = volume.bundle.verify()
    assert {"logs/model-1-of-2.log", "outputs/one/output.mp4", "report/index.html"} <= set(manifest.files)
    for path in volume.bundle.path.rglob("*"):
        mode = path.stat().st_mode
        assert mode & 0o004, f"{path} can only be read by its owner"
        assert not path.is_dir() or os.getuid() or path.stat().st_uid, f"{path} is root's"
