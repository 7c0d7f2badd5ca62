"""The host keys that ``ssh`` believes: those that the platform has written down, and no other."""

from __future__ import annotations

from collections.abc import Sequence


def known_hosts(host: str, port: int, keys: Sequence[str]) -> str:
    """The content of a ``known_hosts`` file.

    Args:
        host: name or address.
        port: 22 is written without it, as ``ssh`` looks it up.
        keys: public keys: kind and base64.
    """
    name = host if port == 22 else f"[{host}]:{port}"
    return "".join(f"{name} {key}\n" for key in keys)
