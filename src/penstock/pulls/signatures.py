"""Whether an event comes from its forge.

GitHub: ``X-Hub-Signature-256``, https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries; Gitea
signs in the same way. GitLab sends the secret itself, ``X-Gitlab-Token``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from penstock.notices.forge_places import Kind

SIGNATURE: dict[Kind, str] = {
    "github": "x-hub-signature-256",
    "gitea": "x-hub-signature-256",
    "gitlab": "x-gitlab-token",
}
"""The header, in lower case."""


def is_signed(kind: Kind, secret: bytes, headers: Mapping[str, str], body: bytes) -> bool:
    """Compare in constant time.

    Args:
        kind: of the forge.
        secret: what it was given.
        headers: with lower-case names.
        body: as it came.
    """
    given = headers.get(SIGNATURE[kind], "").encode("utf-8", "surrogateescape")
    if kind == "gitlab":
        wanted = secret
    else:
        wanted = b"sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest().encode("ascii")
    return hmac.compare_digest(given, wanted)
