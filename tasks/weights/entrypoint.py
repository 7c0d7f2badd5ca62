"""Bring the model's weights, apart from its image, and verify their digests."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.drift_record import is_watched
from penstock.bundle.models import Run
from penstock.bundle.rerun_bundle import released_errors
from penstock.bundle.steps import recorded
from penstock.contract.load import read_policy
from penstock.contract.models import Contract
from penstock.contract.policy import Policy
from penstock.families.registry import directions, family
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside, sha256_json
from penstock.invocation.isolation import LOCAL_RUN
from penstock.releases.admission import admit
from penstock.releases.archived_answers import bring_current
from penstock.releases.archived_document import bring_document
from penstock.releases.measured_again import bring_outputs
from penstock.releases.measured_with import MeasuredWith, as_recorded, measured_with
from penstock.releases.quick_track import VERIFY, as_on_verify
from penstock.releases.regate import take_over
from penstock.releases.rerun_baseline import plan_rerun
from penstock.releases.trusted_weights import hold_signed, trusted_keys
from penstock.releases.watched_release import begin_watched, find_watched, watch_model
from penstock.sources.fetch import Fetcher
from penstock.sources.given_weights import chosen_weights, released_weights, with_version
from penstock.sources.weights import provide
from penstock.steps.entrypoint import log, param, run_step, workspace
from penstock.store.open import existing_store, open_store
from penstock.store.store import Store


@dataclass(frozen=True)
class Arguments:
    """Try the store out, fetch and verify the weights; look up the released model, as far as it is needed."""

    store: str = param("where releases are kept; empty: there is none", default="")
    policy: str = param("a policy file below the repository; empty: the contract's", default="")
    weights: str = param(
        "[PATH=]URL#sha256=DIGEST, weights to be tried in place of the contract's; empty: the contract's", default=""
    )
    regate: str = param("id of an archived run whose outputs are judged again; empty: the model runs", default="")
    outputs: bool = param(
        "bring the archived outputs of the current release, to be measured again, and nothing else", default=False
    )
    watch: str = param(
        "a model's name: begin a run of its current release, to be compared with its record, and nothing else",
        default="",
    )
    run_id: str = param("the run's name, if one is begun", default="")
    released: bool = param("these are the released model's, to be run again beside the candidate", default=False)
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    cache: Path = workspace("what outlives a run")
    baseline: Path = workspace("where the released model's bundle goes, if it is to be run or measured again")
    store_credentials: Path | None = workspace("for weights on S3, and the store", optional=True)
    weights_credentials: Path | None = workspace(
        "tokens for https and hf: a file each, named as its host", optional=True
    )
    weights_keys: Path | None = workspace(
        "public keys, a file each: weights that none of them has signed are refused", optional=True
    )


RESULTS: tuple[str, ...] = ("digest", "released-run", "released-commit", "released-url", "arithmetic", "stored")


def step(arguments: Arguments) -> dict[str, str]:
    """Check that this may be released here; fetch, verify, scan. Say which model is to be run again, if any."""
    bundle = Bundle(arguments.bundle)
    if arguments.watch:
        return dict.fromkeys(RESULTS, "") | _watched(arguments, bundle)
    if arguments.outputs:
        return dict.fromkeys(RESULTS, "") | {"released-run": _outputs(arguments, bundle)}
    with recorded(bundle, "weights") as note, released_errors(arguments.released):
        contract = read_checked(bundle, arguments.source).contract
        store = open_store(arguments.store, arguments.store_credentials) if arguments.store else None
        if store is not None:
            admit(store, bundle.run(), contract.name)
        watched = is_watched(bundle.run())
        if arguments.released or watched:
            chosen = released_weights(contract, bundle.run().weights)
        else:
            chosen = chosen_weights(contract, arguments.weights)
        # both sides are measured through the candidate's extractors
        judges = [] if arguments.released else list(contract.extractor_files.values())
        files = provide(
            [*chosen.weights, *judges],
            arguments.source,
            arguments.cache,
            fetcher=Fetcher(
                credentials=arguments.store_credentials,
                tokens=arguments.weights_credentials,
                allow_local=LOCAL_RUN in os.environ,
            ),
            given=chosen.replaced,
        )
        own = files[: len(contract.weights)]
        if arguments.weights_keys is not None and (keys := trusted_keys(arguments.weights_keys)):
            own = hold_signed(chosen.weights, own, arguments.source, keys)
            log("signed", what=f"the weights are signed with one of {len(keys)} trusted keys", files=len(own))
        note.inputs = sha256_json([file.sha256 for file in files])
        run = bundle.run().model_copy(
            update={
                "weights": own,
                "model": contract.name,
                "family": contract.family,
                "target": contract.target,
                "given_weights": chosen.given,
            }
        )
        if chosen.given is not None:
            note.note = f"{chosen.given.path}: given, sha256:{chosen.given.sha256[:12]}"
            log("weights given", path=chosen.given.path, sha256=chosen.given.sha256, replaces=chosen.given.replaces)
            run = _of_given(run)
        bundle.update_run(run)
        policy = _policy(arguments, contract, run.track)
        released = _released(arguments, contract, policy, store)
        known = _measured_with(arguments, bundle.run(), contract, policy, store)
        if not arguments.released and policy.baseline == "stored" and store is not None:
            _bring_answers(contract, store, arguments.baseline)
        if not arguments.released and contract.interface is not None and store is not None:
            bring_document(store, contract.name, bundle)
        if arguments.regate:
            _regate(arguments.regate, bundle, store, released[0])
            note.note = f"outputs of the run '{arguments.regate}'"
    return {
        "digest": sha256_json([[file.path, file.sha256] for file in own]),
        "released-run": released[0],
        "released-commit": released[1],
        "released-url": "",
        "arithmetic": known.follow,
        "stored": known.stored,
    }


def _outputs(arguments: Arguments, bundle: Bundle) -> str:
    """Bring what the current release returned; its run id."""
    store = open_store(arguments.store, arguments.store_credentials)
    released = bring_outputs(store, bundle.run(), arguments.baseline)
    log("outputs of the current release", what="they are measured again, as the candidate's were", run=released.run_id)
    return released.run_id


def _watched(arguments: Arguments, bundle: Bundle) -> dict[str, str]:
    """Begin the run of a released model: which commit of which repository it is of. The store is only read."""
    watch_model(bundle, arguments.watch, run_id=arguments.run_id)
    store = existing_store(arguments.store, arguments.store_credentials)
    watched = find_watched(store, arguments.watch, arguments.baseline)
    begin_watched(watched, bundle, run_id=arguments.run_id)
    release = watched.release
    log("released model", version=release.version, commit=release.commit, run=release.run_id)
    return {"released-run": release.run_id, "released-commit": release.commit, "released-url": release.url}


def _of_given(run: Run) -> Run:
    """The record of a run with weights of its own: its version names them; the commit's notes are not about them."""
    source = run.source
    if run.given_weights is not None and source is not None:
        source = with_version(source, run.given_weights)
    return run.model_copy(update={"source": source, "notes": ""})


def _policy(arguments: Arguments, contract: Contract, track: str) -> Policy:
    """The policy that will judge; read before the model runs, so that a mistake in it is found before that."""
    if not arguments.policy:
        return as_on_verify(contract.policy) if track == VERIFY else contract.policy
    policy, _ = read_policy(inside(arguments.source, arguments.policy, where="policy"), directions())
    return policy


def _measured_with(
    arguments: Arguments, run: Run, contract: Contract, policy: Policy, store: Store | None
) -> MeasuredWith:
    """What *measure* is to compute in: what the values will be compared with."""
    if arguments.released:
        return MeasuredWith()
    return as_recorded(run.extractors) if is_watched(run) else measured_with(policy, store, contract.name)


def _released(arguments: Arguments, contract: Contract, policy: Policy, store: Store | None) -> tuple[str, str]:
    """Run id and commit of the model that is to be run again; empty if there is none, or the policy wants none."""
    if policy.baseline != "rerun" or store is None:
        return "", ""
    released = plan_rerun(store, contract.name, arguments.baseline)
    if released is None:
        log("first release", what="there is no released model that could be run beside the candidate")
        return "", ""
    log("released model", version=released.source.version, commit=released.source.commit, run=released.run_id)
    return released.run_id, released.source.commit


def _bring_answers(contract: Contract, store: Store, directory: Path) -> None:
    """Bring what the current release answered, where this run's answers or arrays are compared with it."""
    if not (family(contract.family).compares_released or contract.shows_arrays):
        return
    if (released := bring_current(store, contract.name, directory)) is not None:
        log("answers of the current release", what="this run's are compared with them", run=released.run().run_id)


def _regate(earlier: str, bundle: Bundle, store: Store | None, released: str) -> None:
    """Take the outputs of an archived run instead of running the model."""
    if store is None:
        raise UsageError("there is no store to take a run from", where="--regate", todo="Name the store.")
    if released:
        raise UsageError(
            "the policy says 'baseline: rerun': both models run fresh, side by side",
            where="--regate",
            todo="Start a new run without it.",
        )
    take_over(store, bundle, earlier)
    log("judged again", run=earlier)


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-weights``."""
    return run_step("weights", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
