"""What ``penstock init`` writes for a service that recognises faces."""

from __future__ import annotations

from penstock.families.family import Template
from penstock.families.shared_template import CONTRACT_HEAD

CONTRACT = (
    CONTRACT_HEAD
    + """\
# How the model is called. The preset: GET /health, POST /feature with one image, POST /compare with two.
call:
  preset: face-ood
  http:
    argv: ["python", "serve.py", "--port", "{{port}}"]   # how the service is started; {{port}} is a free port
    ready_timeout_s: 30
  # parameters: {{feature_length: 512, unit_norm: true}}   # how many values a vector has; whether its length is 1
  timeout_s: 10                                        # for one case
  warmup: 3                                            # calls that are made first and not counted

suite: {suite}                      # the directory of suite.yaml: the fixed cases of the test

# What a release must hold. min and max bound the value, or the mean of the cases; worst each single case; margin is how
# much worse than the released model it may be: a share (5%) or a number. `severity: warn` stops nothing.
policy:
  level: 0.05
  rules:
    - {{metric: eer, max: 0.05, margin: 0.01}}
    # - {{metric: tar_1e-3, min: 0.95, margin: 0.01}}   # needs 10,000 pairs of different people: 142 people
    - {{metric: auroc, min: 0.9}}          # does the quality score find what should not be asked about?
    - {{metric: fpr95, max: 0.3}}
    - {{metric: bands, min: 1}}            # every comparison is decided as the quality scores say
    - {{metric: wrongly_accepted, max: 0}} # of cases with `expect`
    # - {{metric: fnmr, slice: dark-skin, max: 0.05, margin: 0.02}}
    # Can the galleries that customers have stored still be used? Not before there is a release to compare with.
    - {{metric: gallery, min: 0.9}}
    - {{metric: gallery_eer, max: 0.05}}
    # - {{metric: drift, max: 0.2}}
    - {{metric: latency, margin: 20%, severity: warn}}
"""
)

SUITE = """\
# The fixed cases of the test. Paths are relative to this file.
version: 1
family: {family}

cases:
  # Good photos: several people, with several images each. All pairs of them are compared.
  - name: anna-1
    inputs: {{image: anna-1.jpg}}
    identity: anna
    slices: [smoke, glasses]                # groups for rules; smoke: the cases of `penstock run verify`
  # An image that recognition should not be asked about. Its kind is a slice, too.
  - name: blur-1
    inputs: {{image: blur-1.jpg}}
    ood: blur                               # low-light, profile, screen, cartoon, mask, several-faces, …
  # One that has to be refused.
  - name: wall
    inputs: {{image: wall.jpg}}
    ood: no-face
    expect: {{status: 422}}
  # A pair, put to /compare.
  - name: anna-and-ben
    inputs: {{first: anna-1.jpg, second: ben-1.jpg}}
    same: false
    # identities: [anna, ben]
"""

TEMPLATE = Template(CONTRACT, SUITE)
