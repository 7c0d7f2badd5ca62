"""What a model may see and touch."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.invocation.sandbox import ImageFiles, Sandbox, connect_ports, thread_names


def test_an_images_locale_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANG", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    local = Sandbox(source=tmp_path, scratch=tmp_path)
    image = Sandbox(source=tmp_path, scratch=tmp_path, image=ImageFiles(tmp_path))
    assert local.variables()["LANG"] == "C.UTF-8"
    assert not {"LANG", "LC_ALL", "LC_CTYPE"} & set(image.variables())
    monkeypatch.setenv("LANG", "zh_CN.GBK")
    assert local.variables()["LANG"] == "C.UTF-8"
    assert image.variables()["LANG"] == "zh_CN.GBK"
    named = Sandbox(source=tmp_path, scratch=tmp_path, image=ImageFiles(tmp_path), environment={"LANG": "C.UTF-8"})
    assert named.variables()["LANG"] == "C.UTF-8"


def test_named_hosts_open_the_ports_of_the_web_only() -> None:
    assert connect_ports(()) == []
    assert connect_ports(("example.org", "models.example.org:8443")) == [53, 80, 443, 8443]
    with pytest.raises(UsageError, match="is not a host or host:port"):
        connect_ports(("example.org:http",))


def test_root_and_who_is_not_alone_may_name_the_threads_of_the_first_process_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert [thread_names(alone=alone) for alone in (True, False)] == ["/proc", "/proc/self/task"]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert thread_names(alone=True) == "/proc/self/task"
