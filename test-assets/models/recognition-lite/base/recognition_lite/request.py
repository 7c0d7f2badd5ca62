"""Why a request may be refused."""

from __future__ import annotations


class RequestError(Exception):
    """A request that is not served: the HTTP status, what is wrong, and with which field."""

    def __init__(self, status: int, error: str, field: str | None = None) -> None:
        """See the class."""
        super().__init__(error)
        self.status, self.error, self.field = status, error, field
