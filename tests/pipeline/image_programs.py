"""Programs in the place of buildah and skopeo: an image is the digest of what the build saw, a registry is a folder."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

REGISTRY = "registry.example:5000/models"

BUILDAH = """
arguments = [word for word in sys.argv[1:] if not word.startswith("--root=")]
option = lambda name: next(word.split("=", 1)[1] for word in arguments if word.startswith(f"--{name}="))
if arguments[0] == "build":
    context = pathlib.Path(arguments[-1])
    names = sorted(path.relative_to(context).as_posix() for path in context.rglob("*") if path.is_file())
    digest = hashlib.sha256(b"".join(name.encode() + (context / name).read_bytes() for name in names))
    digest.update(repr([word for word in arguments if word.startswith("--label=")]).encode())
    keep("built", option("tag"), {"digest": f"sha256:{digest.hexdigest()}", "saw": names})
    print("STEP 1/2: FROM scratch\\nSTEP 2/2: COPY . .")
elif arguments[0] == "inspect":
    print("/model")
elif arguments[0] == "push":
    digest = state["built"][arguments[-2]]["digest"]
    keep("pushed", arguments[-1].rpartition(":")[0] + "@" + digest, digest)
    pathlib.Path(option("digestfile")).write_text(digest)
"""

SKOPEO = """
if sys.argv[1] == "inspect":
    known = state["pushed"].get(sys.argv[-1]) or state["tags"].get(sys.argv[-1])
    sys.exit(print(known) if known else "manifest unknown")
for word in sys.argv:
    if word.startswith("--digestfile="):  # a copy of what buildah has left in a layout
        digest = next(found for name, found in state["pushed"].items() if name.startswith("oci:"))
        pathlib.Path(word.partition("=")[2]).write_text(digest)
        keep("pushed", sys.argv[-1].rpartition(":")[0] + "@" + digest, digest)
        sys.exit()
keep("tags", sys.argv[-1], sys.argv[-2].rpartition("@")[2])
"""

STATE = """
import hashlib, json, pathlib, sys
file = pathlib.Path(__file__).with_name("state.json")
state = json.loads(file.read_text()) if file.exists() else {"built": {}, "pushed": {}, "tags": {}}
def keep(what, name, value):
    state[what][name] = value
    file.write_text(json.dumps(state))
"""


@dataclass(frozen=True)
class ImagePrograms:
    """A folder with both programs, to be put on ``PATH``."""

    folder: Path

    def write(self) -> None:
        self.folder.mkdir(parents=True)
        for name, text in (("buildah", BUILDAH), ("skopeo", SKOPEO)):
            program = self.folder / name
            program.write_text(f"#!{sys.executable}\n{STATE}\n{text}", encoding="utf-8")
            program.chmod(0o755)

    def state(self, what: str) -> dict[str, str]:
        """``pushed``: reference by digest; ``tags``: reference by tag → digest."""
        found: dict[str, str] = json.loads((self.folder / "state.json").read_text(encoding="utf-8"))[what]
        return found

    def seen(self) -> list[list[str]]:
        """The files that each build saw."""
        built = json.loads((self.folder / "state.json").read_text(encoding="utf-8"))["built"]
        return [one["saw"] for one in built.values()]
