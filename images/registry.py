"""What a registry says: whether it can be reached at all, and which image a tag names."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException

from penstock.foundation.errors import UsageError, WorldError
from penstock.sources.program import run

_REGISTRY = re.compile(r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$")
TIMEOUT_S = 10.0
INSPECT_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Pushed:
    """An image in a registry."""

    reference: str
    """``registry/path/name@sha256:…``."""
    bytes: int
    """What a node fetches that has none of its layers: all of them, compressed."""
    layers: tuple[str, ...]
    """The layers' digests."""
    layer_bytes: tuple[int, ...]


def check_name(registry: str) -> str:
    """``registry`` if it is ``host[:port][/path]``.

    Raises:
        UsageError: it is not.
    """
    if not registry:
        raise UsageError("no registry is named", todo="make images REGISTRY=host:port/path")
    if not _REGISTRY.match(registry):
        raise UsageError(
            f"'{registry[:80]}' is not a registry",
            where="--registry",
            todo="Write host[:port][/path], without a scheme.",
        )
    return registry


def check_reachable(registry: str, *, tls_verify: bool) -> None:
    """Ask the registry for its version, before minutes are spent on building.

    Raises:
        WorldError: nobody answers, or not as a registry does.
    """
    host = registry.partition("/")[0]
    problems = []
    for scheme in ("https",) if tls_verify else ("https", "http"):
        problem = _ask(f"{scheme}://{host}/v2/", tls_verify=tls_verify)
        if problem is None:
            return
        problems.append(problem)
    tls = tls_verify and problems[0].startswith(("it speaks http", "its certificate"))
    raise WorldError(
        f"the registry cannot be reached: {problems[-1]}",
        where=host,
        todo="Have its certificate trusted here, or: make images TLS_VERIFY=false."
        if tls
        else "Start it, or name another.",
    )


def _ask(url: str, *, tls_verify: bool) -> str | None:
    context = ssl.create_default_context()
    if not tls_verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    # A registry is reached directly: a proxy for the web may be set, and answers for hosts that are not there.
    handlers = [urllib.request.HTTPSHandler(context=context)]
    try:
        urllib.request.build_opener(*handlers).open(url, timeout=TIMEOUT_S).close()
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):  # it is there; buildah has the credentials
            return None
        return f"it answers {error.code} to GET /v2/"
    except ssl.SSLError as error:
        return _tls_problem(error)
    except urllib.error.URLError as error:
        reason = error.reason
        return _tls_problem(reason) if isinstance(reason, ssl.SSLError) else _in_words(reason)
    except (OSError, HTTPException, ValueError) as error:
        return _in_words(error)
    return None


def _in_words(reason: str | BaseException) -> str:
    return str(getattr(reason, "strerror", None) or reason).lower() or type(reason).__name__


def _tls_problem(error: ssl.SSLError) -> str:
    if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return "it speaks http instead of https"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not hold ({error.verify_message})"
    return f"no TLS ({error.reason})"


def find(reference: str, *, tls_verify: bool) -> Pushed | None:
    """The image that a tag names; ``None`` if there is none, or if it cannot be known (it is built and pushed then)."""
    if shutil.which("skopeo") is None:
        return None
    verify = f"--tls-verify={str(tls_verify).lower()}"
    asked = run(["skopeo", "inspect", "--raw", verify, f"docker://{reference}"], timeout_s=INSPECT_TIMEOUT_S)
    if asked.code:
        return None
    try:
        layers = json.loads(asked.output)["layers"]
    except (ValueError, KeyError):  # a list of images: not one of ours
        return None
    repository = re.sub(r"(:[^:/@]+)?(@[^@]*)?$", "", reference)
    sizes = tuple(int(layer["size"]) for layer in layers)
    digest = f"sha256:{hashlib.sha256(asked.output).hexdigest()}"
    return Pushed(f"{repository}@{digest}", sum(sizes), tuple(layer["digest"] for layer in layers), sizes)
