"""What lies in the OCI registry."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True)
class Repository:
    """One repository of the registry: ``HOST:PORT/PATH``."""

    url: str

    @property
    def _base(self) -> str:
        host, _, path = self.url.partition("/")
        return f"http://{host}/v2/{path}"

    def digest(self, reference: str) -> str | None:
        """The digest that a tag or digest names, or None if the registry does not know it."""
        address = f"{self._base}/manifests/{reference}"
        answer = httpx.head(address, headers={"Accept": MANIFESTS}, trust_env=False)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        assert answer.is_success, f"{address}: {answer.status_code}"
        return answer.headers["Docker-Content-Digest"]

    def tags(self) -> list[str]:
        """All tags, sorted; none for a repository that is not there."""
        answer = httpx.get(f"{self._base}/tags/list", trust_env=False)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return []
        assert answer.is_success, f"{self.url}: {answer.status_code}"
        return sorted(answer.json()["tags"] or [])
