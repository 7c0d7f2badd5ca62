"""A deployment repository of real git: the commit, a branch that moved on, the revert."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.targets.deployments import (
    VALUES,
    deployment_repository,
    file_of,
    git,
    push_of_others,
    service,
)
from tests.unit.targets.pairs import pair

from penstock.foundation.errors import UsageError, WorldError
from penstock.targets.gitops import GitopsTarget
from penstock.targets.targets_file import GitopsSettings
from penstock.targets.waiting import NotServingError


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return deployment_repository(tmp_path)


@pytest.fixture
def applied(shop: Path) -> Iterator[str]:
    """Serves whatever the branch says, as Argo CD would make it."""
    with service(lambda: file_of(shop)) as url:
        yield url


def gitops_settings(shop: Path, url: str, **more: Any) -> GitopsSettings:
    fields = [
        {"at": ["image"], "value": "image"},
        {"at": ["weights", "sonic"], "value": "weights", "path": "w.onnx"},
    ]
    whole = {
        "kind": "gitops",
        "models": ["m"],
        "repository": str(shop),
        "file": "apps/sonic.yaml",
        "fields": fields,
        "ready": {"url": url, "says": ["image_digest", "weights"]},
        "timeout_s": 5.0,
        "poll_s": 0.01,
    }
    return GitopsSettings.model_validate(whole | more)


def target(shop: Path, url: str, **more: Any) -> GitopsTarget:
    return GitopsTarget("shop", gitops_settings(shop, url, **more), None)


def subjects(shop: Path) -> list[str]:
    return git(shop, "log", "--format=%s", "main").splitlines()


@pytest.mark.slow
def test_both_are_written_and_a_rollback_is_a_revert(shop: Path, applied: str) -> None:
    first, second = pair("1.0.0", "0"), pair("1.1.0", "1")
    found = target(shop, applied)
    found.check(second)
    before = found.state()
    assert before == git(shop, "rev-parse", "main")
    found.deploy(second, first)
    assert file_of(shop) == VALUES.replace("0" * 64, "1" * 64), "and nothing else: comments and layout stay"
    message = git(shop, "log", "-1", "--format=%B", "main")
    assert message.startswith("sonic-lite 1.1.0\n\nimage registry.example.org/sonic:x@sha256:1111")
    assert message.endswith("Penstock-Release: sonic-lite 1.1.0")
    # once more: nothing to do
    target(shop, applied).deploy(second, first)
    assert len(subjects(shop)) == 2
    target(shop, applied).deploy(first, second)
    assert file_of(shop) == VALUES
    assert subjects(shop) == ["Revert sonic-lite 1.1.0", "sonic-lite 1.1.0", "the shop"]


@pytest.mark.slow
def test_a_commit_of_others_that_carries_our_line_is_not_reverted(shop: Path, applied: str, tmp_path: Path) -> None:
    first, second = pair("1.0.0", "0"), pair("1.1.0", "1")
    ops = tmp_path / "ops"
    git(ops, "pull", "--quiet", "--rebase", "origin", "main")
    (ops / "apps" / "sonic.yaml").write_text(VALUES.replace("0" * 64, "1" * 64))
    (ops / "theirs.yaml").write_text("theirs: 1\n")
    git(ops, "add", "--all")
    git(ops, "commit", "--quiet", "--message", "squashed\n\nPenstock-Release: sonic-lite 1.1.0")
    git(ops, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    target(shop, applied).deploy(first, second)
    assert file_of(shop) == VALUES
    assert git(shop, "show", "main:theirs.yaml") == "theirs: 1"
    assert subjects(shop) == ["sonic-lite 1.0.0", "squashed", "the shop"]


@pytest.mark.slow
def test_a_branch_that_moved_on_is_rebased_never_forced(
    shop: Path, applied: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = target(shop, applied)
    commit = found._repository._commit

    def meanwhile(*given: Any) -> None:
        commit(*given)
        push_of_others(tmp_path, "note: hello", "note: good-bye")

    monkeypatch.setattr(found._repository, "_commit", meanwhile)
    found.deploy(pair(), None)
    assert file_of(shop) == VALUES.replace("0" * 64, "1" * 64).replace("hello", "good-bye")
    assert subjects(shop) == ["sonic-lite 1.1.0", "by hand", "the shop"]


@pytest.mark.slow
def test_somebody_who_changes_the_same_lines_is_not_overwritten(
    shop: Path, applied: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = target(shop, applied)
    state, commit = found.state(), found._repository._commit

    def meanwhile(*given: Any) -> None:
        commit(*given)
        push_of_others(tmp_path, f"sha256:{'0' * 64}", f"sha256:{'7' * 64}")

    monkeypatch.setattr(found._repository, "_commit", meanwhile)
    with pytest.raises(WorldError, match="somebody else has changed the same lines"):
        found.deploy(pair(), None)
    found.restore(state)
    assert subjects(shop) == ["by hand", "the shop"], "neither pushed nor reverted"


@pytest.mark.slow
def test_what_does_not_come_to_serve_is_reverted(shop: Path, tmp_path: Path) -> None:
    with service(lambda: VALUES) as stuck:  # what applies the branch does nothing
        found = target(shop, stuck, timeout_s=0.05)
        state = found.state()
        with pytest.raises(NotServingError, match=f"does not name sha256:{'1' * 64}"):
            found.deploy(pair(), pair("1.0.0", "0"))
        push_of_others(tmp_path, "note: hello", "note: good-bye")
        found.restore(state)
        assert file_of(shop) == VALUES.replace("hello", "good-bye"), "others' work stays"
        assert subjects(shop)[0].startswith("Revert")
    # lines that others have changed since are not
    with service(lambda: "") as away:
        found = target(shop, away, timeout_s=0.05)
        state = found.state()
        with pytest.raises(NotServingError, match="answers 503"):
            found.deploy(pair(), None)
        push_of_others(tmp_path, f"sha256:{'1' * 64}", f"sha256:{'7' * 64}")
        with pytest.raises(WorldError, match="cannot be reverted"):
            found.restore(state)


def test_a_pair_that_would_not_be_whole(shop: Path, applied: str) -> None:
    found = target(shop, applied)
    with pytest.raises(UsageError, match=r"the release has no weights 'w\.onnx'"):
        found.check(pair(weights=False))
    only_image = [{"at": ["image"], "value": "image"}]
    with pytest.raises(UsageError, match=r"writes no digest of 'w\.onnx'"):
        target(shop, applied, fields=only_image).check(pair())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"branch": "gone"}, "gone"),
        ({"file": "apps/other.yaml"}, "the file is missing"),
        ({"file": "../../etc/passwd"}, r"\.\."),
        ({"fields": [{"at": ["img"], "value": "image"}]}, "there is no 'img'"),
    ],
)
def test_what_is_not_there(shop: Path, applied: str, more: dict[str, Any], said: str) -> None:
    with pytest.raises((UsageError, WorldError), match=said):
        target(shop, applied, **more).state()


def test_secrets(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "login").write_bytes(b"no-colon-hunter2")
    ready = {"url": "https://a.example.org", "says": ["version"]}
    known = {"repository": "https://git.example.invalid/x.git", "credentials": "login", "ready": ready}
    found = GitopsTarget("shop", gitops_settings(shop, "https://a.example.org", **known), tmp_path)
    with pytest.raises(UsageError, match=r"'login': it is not of the form USER:PASSWORD") as caught:
        found.state()
    assert "hunter2" not in str(caught.value)


@pytest.mark.slow
def test_what_was_put_there_by_hand_is_put_back_and_not_waited_for(shop: Path, tmp_path: Path) -> None:
    """The current release did not serve there, so nothing could ever say that it does again."""
    push_of_others(tmp_path, f"sha256:{'0' * 64}", f"sha256:{'7' * 64}")
    by_hand = file_of(shop)
    with service(lambda: "by hand") as url:
        found = target(shop, url, timeout_s=0.05)
        state = found.state()
        with pytest.raises(NotServingError):
            found.deploy(pair("1.1.0", "1"), pair("1.0.0", "0"))
        found.restore(state)
    assert file_of(shop) == by_hand
