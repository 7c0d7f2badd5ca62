"""What a trigger starts: a run that its pipeline takes, with what its bindings give."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from tests.unit.manifests.installed import ROOT, objects


@pytest.mark.parametrize("pipeline", ["release", "verify"])
def test_a_template_fits_its_pipeline_and_its_bindings(pipeline: str) -> None:
    template = objects("TriggerTemplate")[pipeline]["spec"]
    bound = {param["name"] for binding in objects("TriggerBinding").values() for param in binding["spec"]["params"]}
    declared = {param["name"] for param in template["params"]}
    assert declared <= bound
    assert set(re.findall(r"\$\(tt\.params\.([a-z-]+)\)", json.dumps(template["resourcetemplates"]))) == declared
    (run,) = template["resourcetemplates"]
    spec = objects("Pipeline")[pipeline]["spec"]
    assert run["spec"]["pipelineRef"] == {"name": pipeline}
    given = {param["name"] for param in run["spec"]["params"]}
    known = {param["name"]: param for param in spec["params"]}
    assert given <= known.keys()
    assert {name for name, param in known.items() if "default" not in param} <= given
    workspaces = {entry["name"]: entry for entry in run["spec"]["workspaces"]}
    assert workspaces.keys() == {entry["name"] for entry in spec["workspaces"]}
    for entry in spec["workspaces"]:
        if entry.get("optional") and entry["name"] not in ("policy-floor", "weights-keys"):
            bound_to = workspaces[entry["name"]]
            source = bound_to["configMap" if entry["name"] == "suite" else "secret"]
            assert source["optional"] is True, "a site need not have it"
    # installed empty, and needed: keys that somebody deletes must not let unsigned weights through in silence
    assert workspaces["weights-keys"] == {"name": "weights-keys", "configMap": {"name": "penstock-weights-keys"}}
    assert objects("ConfigMap")["penstock-weights-keys"]["data"] == {}
    # installed empty, and needed: a floor that somebody deletes must not be passed over in silence
    assert workspaces["policy-floor"] == {"name": "policy-floor", "configMap": {"name": "penstock-policy-floor"}}
    assert objects("ConfigMap")["penstock-policy-floor"]["data"] == {}


def test_runs_of_events_and_of_people_have_the_same_pods() -> None:
    text = (ROOT / "tekton" / "runs" / "pod-template.yaml").read_text(encoding="utf-8")
    for template in objects("TriggerTemplate").values():
        (run,) = template["spec"]["resourcetemplates"]
        assert run["spec"]["taskRunTemplate"] == {
            "serviceAccountName": "penstock",
            "podTemplate": yaml.safe_load(text),
        }
