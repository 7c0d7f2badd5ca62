"""``pulls.yaml``: what it may say, and what is refused before anything listens."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from tests.unit.pulls.places import TOKEN, URLS, WEBHOOK, desk_settings, repository_on, told, write, write_secrets

from penstock.foundation.errors import UsageError
from penstock.pulls.desk_file import load_desk, read_secrets


def test_a_repository_is_known_by_its_path_in_either_case(tmp_path: Path) -> None:
    settings = desk_settings(tmp_path)
    found = settings.repository("gitlab", "Acme/talk/Sonic-Lite")
    assert found is not None
    assert (found.path, found.url) == ("acme/talk/sonic-lite", URLS["gitlab"])
    assert settings.repository("github", "acme/talk/sonic-lite") is None
    assert settings.repository("github", "eve/sonic-lite") is None


def test_people_of_all_and_of_one(tmp_path: Path) -> None:
    more = {"url": "https://github.com/acme/other.git", "forge": "github"}
    settings = desk_settings(tmp_path, repositories=[*told()["repositories"], more])
    mine, other = settings.repositories[0], settings.repositories[-1]
    assert [mine.may(name) for name in ("ann", "ANN", "rita", "eve", "")] == [True, True, True, False, False]
    assert [other.may(name) for name in ("ann", "rita")] == [True, False]


def changed(**change: Any) -> dict[str, Any]:
    value = told()
    for path, found in change.items():
        at = value
        *names, last = path.split("__")
        for name in names:
            at = at[int(name) if name.isdigit() else name]
        at[last] = found
    return value


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"version": 2}, "version"),
        ({"at_most": 0}, "at_most"),
        ({"at_most": True}, "at_most"),
        ({"people": ["a b"]}, "people"),
        ({"store": "s3://$(params.x)"}, "store"),
        ({"slice": "a/b"}, "slice"),
        ({"forges__gitea__api": None}, "a Gitea has an address of its own"),
        ({"forges__gitea__allow_http": False}, "unencrypted"),
        ({"forges__github__kind": "bitbucket"}, "kind"),
        ({"forges__github__webhook": "../x"}, "webhook"),
        ({"repositories__0__forge": "other"}, "there is no forge 'other'"),
        ({"repositories__0__url": "https://gitlab.com/acme/sonic.git"}, "lies on 'gitlab.com'"),
        ({"repositories__0__url": "https://user:pass@github.com/acme/sonic.git"}, "without a name and a password"),
        ({"repositories__0__url": "http://github.com/acme/sonic.git"}, "unencrypted"),
        ({"repositories__0__url": "https://github.com/acme/sub/sonic.git"}, "not the address of a repository"),
        ({"repositories__0__url": "https://github.com/acme/$(touch).git"}, "'\\$'"),
        ({"repositories__0__url": "/srv/git/sonic"}, "url"),
        ({"repositories__0__webhook": "../x"}, "webhook"),
        ({"repositories__0__webhook": "github-webhook"}, "is its forge's"),
        ({"repositories": []}, "repositories"),
        ({"more": 1}, "more"),
    ],
)
def test_what_it_may_not_say(tmp_path: Path, change: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        load_desk(write(tmp_path, changed(**change)))
    assert "pass@" not in str(caught.value)


def test_a_repository_twice(tmp_path: Path) -> None:
    again = {"url": "git@github.com:Acme/sonic-lite.git", "forge": "github"}
    with pytest.raises(UsageError, match="twice"):
        desk_settings(tmp_path, repositories=[*told()["repositories"], again])


def test_a_forge_below_a_path(tmp_path: Path) -> None:
    value = changed(forges__gitea__api="https://example.org/git/api/v1")
    value["repositories"][2]["url"] = "https://example.org/git/acme/sonic-lite.git"
    assert repository_on(load_desk(write(tmp_path, value)), "gitea").path == "acme/sonic-lite"
    value["repositories"][2]["url"] = "https://example.org/acme/sonic-lite.git"
    with pytest.raises(UsageError, match="does not lie below '/git'"):
        load_desk(write(tmp_path, value))


def test_secrets(tmp_path: Path) -> None:
    settings = desk_settings(tmp_path)
    found = read_secrets(settings.file, write_secrets(tmp_path))
    assert found["gitea"].forge.token == TOKEN
    assert found["gitea"].forge.allow_http
    assert not found["github"].forge.allow_http
    (tmp_path / "gitea-webhook").write_text("short")
    with pytest.raises(UsageError, match="shorter than 16 bytes"):
        read_secrets(settings.file, tmp_path)
    (tmp_path / "gitea-webhook").unlink()
    with pytest.raises(UsageError, match="secret 'gitea-webhook'"):
        read_secrets(settings.file, tmp_path)


def test_the_secret_of_one_repository(tmp_path: Path) -> None:
    settings = load_desk(write(tmp_path, changed(repositories__1__webhook="sonic-webhook")))
    with pytest.raises(UsageError, match="secret 'sonic-webhook'"):
        read_secrets(settings.file, write_secrets(tmp_path))
    (tmp_path / "sonic-webhook").write_text("short")
    with pytest.raises(UsageError, match="shorter than 16 bytes"):
        read_secrets(settings.file, tmp_path)
    (tmp_path / "sonic-webhook").write_text("a" * 16 + "\n")
    found = read_secrets(settings.file, tmp_path)
    assert found["gitlab"].webhook_of("Acme/talk/sonic-lite") == b"a" * 16
    assert found["gitlab"].webhook_of("acme/talk/other") is None
    assert found["github"].webhook_of("acme/talk/sonic-lite") is None
    assert found["github"].webhook_of("") == WEBHOOK.encode()


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "pulls.md").read_text(encoding="utf-8")
    manifest = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    (tmp_path / "pulls.yaml").write_text(manifest["data"]["pulls.yaml"], encoding="utf-8")
    settings = load_desk(tmp_path / "pulls.yaml")
    assert [one.path for one in settings.repositories] == ["acme/sonic-lite"]
    for key in (settings.file.forges["github"].webhook, settings.file.forges["github"].token):
        assert f"--from-literal={key}=" in page


def test_the_way_from_nothing_with_a_gitea(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "pulls.md").read_text(encoding="utf-8")
    part = page.partition("### With a Gitea, from nothing\n")[2].partition("\n## ")[0]
    manifest = yaml.safe_load(dedent(part.partition("```yaml\n")[2].partition("```")[0]))
    (tmp_path / "pulls.yaml").write_text(manifest["data"]["pulls.yaml"], encoding="utf-8")
    settings = load_desk(tmp_path / "pulls.yaml")
    forge = settings.file.forges["gitea"]
    assert (forge.kind, forge.secret, settings.repositories[0].path) == ("gitea", "penstock-forge", "acme/sonic-lite")
    for key in (forge.webhook, forge.token):
        assert f"--from-literal={key}=" in part
    assert f"--from-literal=url={forge.api}" in part
