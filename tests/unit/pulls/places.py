"""A platform's ``pulls.yaml`` with a repository on each kind of forge, and its secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from penstock.pulls.desk_file import DeskRepository, DeskSettings, load_desk

WEBHOOK = "shared-secret-of-the-webhooks"
TOKEN = "token-of-the-forge"
URLS = {
    "github": "https://github.com/acme/sonic-lite.git",
    "gitlab": "https://gitlab.example.org/acme/talk/sonic-lite.git",
    "gitea": "http://git.example.org:3000/acme/sonic-lite.git",
}
APIS = {"gitlab": "https://gitlab.example.org/api/v4", "gitea": "http://git.example.org:3000/api/v1"}


def told() -> dict[str, Any]:
    """The file's value."""
    forges = {
        name: {"kind": name, "webhook": f"{name}-webhook", "token": f"{name}-token"}
        | ({"api": APIS[name]} if name in APIS else {})
        | ({"allow_http": True} if name == "gitea" else {})
        for name in URLS
    }
    return {
        "version": 1,
        "forges": forges,
        "repositories": [{"url": url, "forge": name, "people": ["rita"]} for name, url in URLS.items()],
        "people": ["Ann"],
        "at_most": 2,
        "store": "s3://releases/penstock",
        "registry": "registry.example.org/models",
    }


def write(folder: Path, value: dict[str, Any]) -> Path:
    path = folder / "pulls.yaml"
    path.write_text(yaml.safe_dump(value), encoding="utf-8")
    return path


def write_secrets(folder: Path) -> Path:
    for name in URLS:
        (folder / f"{name}-webhook").write_text(WEBHOOK + "\n")
        (folder / f"{name}-token").write_text(TOKEN + "\n")
    return folder


def desk_settings(folder: Path, **more: Any) -> DeskSettings:
    return load_desk(write(folder, told() | more))


def repository_on(settings: DeskSettings, forge: str = "github") -> DeskRepository:
    return next(one for one in settings.repositories if one.forge_name == forge)
