"""A case that gives no duration asks for a video as long as its audio."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import begin
from penstock.contract.request import Multipart, request_for
from penstock.evaluation.filled_parameters import filled_parameters, with_parameters
from penstock.evaluation.plan import plan
from penstock.foundation.errors import UsageError

HTTP = {
    "argv": ["python", "service.py", "{port}"],
    "path": "/generate",
    "files": {"image": "image", "audio": "audio"},
    "fields": {"order": "{order}", "duration": "{duration}"},
    "response": "video/mp4",
}


@pytest.mark.slow
def test_plan_records_the_length_of_the_audio_and_the_call_carries_it(repository, bundle: Bundle) -> None:
    soundfile.write(repository.path / "suite" / "speech.wav", np.zeros(36_000, np.int16), 24_000)
    begin(bundle, run_id="r", track="release")
    contract, suite = repository.contract(http=HTTP), repository.suite("a", "b")
    plan(contract, suite, repository.path, bundle, cache=None)
    inference = bundle.run().inference
    assert inference is not None
    assert inference.filled == {"case-0": {"duration": 1.5}, "case-1": {"duration": 1.5}}
    case = with_parameters(suite, inference.filled).cases[1]
    assert request_for(contract, case).body == Multipart(
        {"order": "b", "duration": "1.5"}, {"image": "image", "audio": "audio"}
    )


def test_a_duration_that_is_given_goes_first_and_a_call_that_wants_none_gets_none(repository) -> None:
    suite = repository.suite("a", parameters={"order": "a", "duration": 0.5})
    assert filled_parameters(repository.contract(http=HTTP), suite, repository.path) == {}
    assert filled_parameters(repository.contract(http=HTTP, parameters={"duration": 2}), suite, repository.path) == {}
    assert filled_parameters(repository.contract(), repository.suite("a"), repository.path) == {}


def test_audio_that_cannot_be_decoded_is_named_with_its_case(repository) -> None:
    (repository.path / "suite" / "speech.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    with pytest.raises(UsageError) as caught:
        filled_parameters(repository.contract(http=HTTP), repository.suite("a"), repository.path)
    assert "speech.wav" in caught.value.where
    assert "case-0" in caught.value.where
