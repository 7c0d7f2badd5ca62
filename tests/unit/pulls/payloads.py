"""Events as the forges document them, cut down to what is looked at and a little beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]
RECORDED = Path(__file__).parents[2] / "e2e" / "payloads"
HEAD, OTHER = "c0ffee" + "0" * 34, "beef" + "0" * 36
WRITTEN = "2026-11-27T12:00:00Z"


def recorded(name: str) -> Json:
    found: Json = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return found


def hub_pull(action: str = "opened", *, number: Any = 7, head: Any = HEAD, path: str = "acme/sonic-lite") -> Json:
    pull = {"number": number, "head": {"ref": "$(touch x)", "sha": head}, "base": {"ref": "main"}, "title": "`x`"}
    return {"action": action, "number": number, "pull_request": pull, "repository": {"full_name": path}}


def hub_comment(
    text: Any, *, action: str = "created", person: str = "ann", comment: Any = 41, written: str = WRITTEN
) -> Json:
    said = {"id": comment, "body": text, "user": {"login": person}, "created_at": written}
    issue = {"number": 7, "title": "Better lips", "pull_request": {"url": "https://x.example/7"}}
    return {"action": action, "issue": issue, "comment": said, "repository": {"full_name": "acme/sonic-lite"}}


def gitlab_merge(action: str = "open", *, head: Any = HEAD) -> Json:
    about = {"iid": 7, "action": action, "last_commit": {"id": head}, "source_branch": "$(touch x)"}
    project = {"path_with_namespace": "acme/talk/sonic-lite"}
    return {"object_kind": "merge_request", "object_attributes": about, "project": project}


def gitlab_note(text: Any, *, updated: str = "2026-11-27 12:00:00 UTC", **more: Any) -> Json:
    about = {"id": 41, "note": text, "noteable_type": "MergeRequest", "system": False} | more
    about |= {"created_at": "2026-11-27 12:00:00 UTC", "updated_at": updated}
    return {
        "object_kind": "note",
        "user": {"username": "ann"},
        "object_attributes": about,
        "merge_request": {"iid": 7},
        "project": {"path_with_namespace": "acme/talk/sonic-lite"},
    }
