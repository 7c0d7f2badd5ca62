"""Gitea's process: nobody's, never root's; what it is told is written once, for its user alone."""

from __future__ import annotations

import configparser
import os
from pathlib import Path

import pytest
from tests.cluster import gitea, ports, status
from tests.cluster.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "state").mkdir()
    return Settings(cache=tmp_path / "cache", state=tmp_path / "state")


@pytest.mark.skipif(os.geteuid() != 0, reason="files are given to another user")
def test_it_runs_as_a_user_without_rights_from_the_clusters_own_folder(settings: Settings) -> None:
    part = gitea.part(settings)
    argv = [str(word) for word in part.argv]
    assert argv[:2] == ["setpriv", "--reuid=nobody"]
    assert "--no-new-privs" in argv
    assert argv[-1] == "web"
    program = argv[argv.index("--no-new-privs") + 1]
    assert program.startswith(f"{settings.state}/gitea/gitea-")
    assert part.env["HOME"] == f"{settings.state}/gitea/data"


@pytest.mark.skipif(os.geteuid() != 0, reason="files are given to another user")
def test_its_configuration_is_written_once_and_for_it_alone(settings: Settings) -> None:
    gitea.part(settings)
    path = settings.state / "gitea" / "data" / "app.ini"
    before = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_uid == path.parent.stat().st_uid != 0
    gitea.part(settings)
    assert path.read_text() == before
    said = configparser.ConfigParser(interpolation=None)
    said.read_string(f"[top]\n{before}")
    assert said["server"]["ROOT_URL"] == f"{settings.gitea}/"
    assert said["server"]["HTTP_ADDR"] == settings.address
    assert said["webhook"]["ALLOWED_HOST_LIST"] == "private,loopback"
    assert said["service"]["DISABLE_REGISTRATION"] == "true"


def test_it_is_a_part_of_the_cluster(settings: Settings) -> None:
    assert ("gitea", settings.address, settings.gitea_port) in ports.needed(settings)
    if os.geteuid() == 0:
        assert "gitea" in [part.name for part in status.parts(settings)]
