"""What ``penstock init`` writes for a service that recognises what is in a picture."""

from __future__ import annotations

from penstock.families.family import Template
from penstock.families.shared_template import CONTRACT_HEAD

CONTRACT = (
    CONTRACT_HEAD
    + """\
# How the model is called. The preset: POST /recognize with the picture as the form field `image`, answered with JSON:
# {{"objects": [{{"label": "cat", "confidence": 0.9, "box": [x, y, width, height]}}], "description": "…", "text": "…"}}.
# /healthz answers 503 until the model is loaded, then 200.
call:
  preset: wanwu
  http:
    argv: ["python", "serve.py", "--port", "{{port}}"]   # how the service is started; {{port}} is a free port
    ready_timeout_s: 30
  timeout_s: 30                                        # for one case
  warmup: 1                                            # calls that are made first and not counted

suite: {suite}                      # the directory of suite.yaml: the fixed cases of the test

# What a release must hold. min and max bound the mean of the cases; margin is how much worse than the released model
# the mean may be: a share (5%) or a number. `severity: warn` stops nothing. After a first release,
# `penstock check --store DIR` says which margins the suite can settle.
policy:
  level: 0.05
  rules:
    - {{metric: label_f1, min: 0.8, margin: 0.02}}
    - {{metric: top1, min: 0.8}}
    - {{metric: ece, max: 0.1}}              # whether it is as sure as it is right
    - {{metric: schema_breaks, max: 0}}      # nothing that reads the released answers breaks
    # - {{metric: label_f1, slice: chinese, margin: 0.02}}
    # - {{metric: brier, slice: chinese, margin: 0.02}}     # calibration of a slice
    # - {{metric: phrases, min: 0.9}}        # of cases with a `description`
    # - {{metric: cer, max: 0.1}}            # of cases with a `text`
    # - {{metric: map50, min: 0.5}}          # of cases whose `objects` have boxes
    - {{metric: latency, margin: 20%, severity: warn}}
"""
)

SUITE = """\
# The fixed cases of the test. Paths are relative to this file. The model gets the pictures alone: this file and the
# tables of synonyms are hidden from it.
version: 1
family: {family}

cases:
  - name: desk-01
    inputs: {{image: desk-01.jpg}}
    labels: [cup, book]                     # what must be found; an empty list: nothing
    # objects:                              # in place of labels, one by one, with boxes: for `map`
    #   - {{label: cup, box: [12, 40, 60, 80]}}   # x, y, width, height in pixels of the upright picture
    description: {{required: [cup], forbidden: [dog]}}
    text: 出口 Exit                         # in the order of reading; "": there is none
    # language: zh
    # synonyms: synonyms.yaml               # zh: {{cup: [杯子, 茶杯]}}
    slices: [smoke, chinese]                # groups for rules; smoke: the cases of `penstock run verify`
"""

TEMPLATE = Template(CONTRACT, SUITE)
