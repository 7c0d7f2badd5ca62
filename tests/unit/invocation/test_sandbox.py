"""What a model may see and touch."""

from __future__ import annotations

import pytest

from penstock.foundation.errors import UsageError
from penstock.invocation.sandbox import connect_ports


def test_named_hosts_open_the_ports_of_the_web_only() -> None:
    assert connect_ports(()) == []
    assert connect_ports(("example.org", "models.example.org:8443")) == [53, 80, 443, 8443]
    with pytest.raises(UsageError, match="is not a host or host:port"):
        connect_ports(("example.org:http",))
