"""Who pushed, as the forge names them, and never as part of anything else."""

from __future__ import annotations

import copy

import pytest
from tests.unit.manifests.installed import objects
from tests.unit.manifests.trigger_events import HOSTILE, LISTED, header_of, intercepted, payload


@pytest.mark.parametrize(
    ("name", "path"), [("github-push-tag", ("sender", "login")), ("gitlab-tag-push", ("user_username",))]
)
def test_who_released_it(name: str, path: tuple[str, ...]) -> None:
    forge = name.partition("-")[0]
    trigger = objects("Trigger")[f"{forge}-release"]

    def who(login: object) -> object:
        body = copy.deepcopy(payload(name))
        place = body[path[0]] if len(path) > 1 else body
        if login is None:
            del place[path[-1]]
        else:
            place[path[-1]] = login
        found = intercepted(trigger, header_of(name), body, LISTED)
        return found["by"] if found is not None else None

    assert (who("mona"), who("a-b_c.d")) == ("mona", "a-b_c.d")
    assert who("dependabot[bot]") == ("dependabot[bot]" if forge == "github" else "unknown")
    assert {who(login) for login in [None, "", *HOSTILE, "m" * 101]} == {"unknown"}
