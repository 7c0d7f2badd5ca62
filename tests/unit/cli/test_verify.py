"""``penstock verify``: what it says of an image, and how it ends."""

from __future__ import annotations

import ast
import json
import os
from hashlib import sha256
from pathlib import Path

import pytest
from tests.unit.releases.attested import published_release
from tests.unit.releases.signing_keys import key_pair
from tests.unit.releases.test_provenance import STATEMENT
from tests.unit.releases.test_signed_sbom import Signed
from tests.unit.sources.test_image import Stand

from penstock.bundle.models import BuiltElsewhere
from penstock.cli.app import main
from penstock.cli.verify import verify
from penstock.releases.attest import attest
from penstock.releases.envelope import private_key, sign, write_envelope
from penstock.sources.image_attestation import ENVELOPE
from penstock.store.local import LocalStore

DIGEST = f"sha256:{'a' * 64}"


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    release, bundle = published_release(tmp_path)
    private, public = key_pair(tmp_path)
    attest(LocalStore(tmp_path / "store"), bundle, release, private_key(private), time="2026-01-02T00:00:00+00:00")
    return ["verify", f"registry/sonic@{DIGEST}", "--key", str(public), "--store", str(tmp_path / "store")]


def test_it_has_passed(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.__doc__
    assert main(command) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0] == "sonic-lite 1.0.0 passed, signed 2026-01-02T00:00:00+00:00"
    assert "bbbb" in said
    assert main([*command, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["model"], row["version"], row["use_onnx"]) == ("sonic-lite", "1.0.0", None)
    assert row["attestation"].startswith("attestations/sha256-aaaa")


def test_it_tells_who_built_the_image_and_who_signed_the_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release, bundle = published_release(tmp_path)
    private, public = key_pair(tmp_path)
    given = BuiltElsewhere(given=f"r/m@{DIGEST}", compared=3)
    told = release.model_copy(
        update={
            "use_onnx": False,
            "image": release.image.model_copy(update={"elsewhere": given}),
            "weights": [file.model_copy(update={"signed_by": "5" * 64}) for file in release.weights],
        }
    )
    attest(LocalStore(tmp_path / "store"), bundle, told, private_key(private), time="2026-01-02T00:00:00+00:00")
    assert main(["verify", DIGEST, "--key", str(public), "--store", str(tmp_path / "store")]) == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.endswith("with its trained weights (use_onnx=false)")
    assert second == f"  built elsewhere, given as r/m@{DIGEST}: 3 of its files are the commit's"
    assert third.endswith(", signed with the key 555555555555")


def test_it_tells_whether_the_bill_of_materials_is_signed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signed = Signed(tmp_path)
    command = ["verify", DIGEST, "--key", str(signed.pem), "--store", str(tmp_path / "store")]
    named = signed.verdict.sbom_sha256
    assert main(command) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"  bill of materials sha256:{named}, not signed"
    signed.sign()
    assert main(command) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"  bill of materials sha256:{named}, 3 components, signed"
    assert main([*command, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["sbom"] == {"sha256": named, "components": 3, "key": signed.place}


def stand_in_registry(folder: Path, *beside: bytes) -> Path:
    """A skopeo that has these statements beside every image; returns its folder. A real one: ``make chains``."""
    layers = [
        {"mediaType": ENVELOPE, "digest": f"sha256:{sha256(one).hexdigest()}", "size": len(one)} for one in beside
    ]
    there = json.dumps({"config": {"digest": DIGEST, "size": 2}, "layers": layers})
    Stand(
        folder / "skopeo",
        f"if 'inspect' in arguments:\n    print({there!r})\n    sys.exit()\n"
        "blobs = arguments[-1].split(':')[1] + '/blobs/sha256'\nos.makedirs(blobs)\n"
        f"for name, content in {[(sha256(one).hexdigest(), one) for one in beside]!r}:\n"
        "    open(blobs + '/' + name, 'wb').write(content)",
    )
    return folder


@pytest.mark.parametrize("folder", [False, True])
def test_a_builders_provenance_has_to_name_the_commit(
    command: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    folder: bool,
) -> None:
    private, public = key_pair(tmp_path / "builder")
    command.append(f"--provenance-key={public.parent if folder else public}")
    private.rename(tmp_path / "builder.key")
    private = tmp_path / "builder.key"
    other = json.loads(json.dumps(STATEMENT).replace("c" * 40, "e" * 40))
    for beside, code in (([other], 1), ([other, STATEMENT], 0)):
        command[1] = f"registry:5000/sonic:1.0.0@{DIGEST}"  # the tag says nothing beside a digest
        envelopes = [write_envelope(sign(json.dumps(one).encode(), private_key(private))) for one in beside]
        monkeypatch.setenv("PATH", f"{stand_in_registry(tmp_path, *envelopes)}{os.pathsep}{os.environ['PATH']}")
        assert main(command) == code
    asked = [ast.literal_eval(line)[0][-1] for line in (tmp_path / "skopeo.notes").read_text().splitlines()]
    assert asked[0] == f"docker://registry:5000/sonic:sha256-{'a' * 64}.att"
    assert capsys.readouterr().out.splitlines()[-1] == f"  built by chains of commit {'c' * 40}"
    assert main([*command, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    source = {"repository": "example.org/sonic-lite", "commit": "c" * 40}
    assert row["provenance"] == [{"builder": "chains", "task": "build", "sources": [source]}]
    command[1] = DIGEST
    assert main(command) == 2
    assert "its address is needed" in capsys.readouterr().err


def test_nothing_proves_it(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "unet.pth").write_bytes(b"other weights")
    assert main([*command, "--weights", str(tmp_path / "unet.pth")]) == 1
    assert "is not among the weights that were judged with it" in capsys.readouterr().err
    command[1] = f"sha256:{'f' * 64}"
    assert main(command) == 1
    assert "no verdict over it is signed" in capsys.readouterr().err


@pytest.mark.parametrize("image", ["sonic:1.0.0", "sha256:abc", f"sonic@{DIGEST}\n", "@" + DIGEST])
def test_an_image_is_named_by_its_digest(command: list[str], image: str, capsys: pytest.CaptureFixture[str]) -> None:
    command[1] = image
    assert main(command) == 2
    assert "an image is named by its digest" in capsys.readouterr().err


def test_files_that_are_not_there(command: list[str], tmp_path: Path) -> None:
    assert main([*command, "--weights", str(tmp_path / "none")]) == 2
    command[command.index("--key") + 1] = str(tmp_path / "none")
    assert main(command) == 2
