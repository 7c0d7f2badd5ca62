"""The stores of the tests of ``store``: a release needs one."""

from __future__ import annotations

from tests.unit.store.conftest import bundle, s3_credentials, s3_server, s3_store, store

__all__ = ["bundle", "s3_credentials", "s3_server", "s3_store", "store"]
