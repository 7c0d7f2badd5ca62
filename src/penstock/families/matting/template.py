"""What ``penstock init`` writes for a model that removes backgrounds."""

from __future__ import annotations

from penstock.families.family import Template
from penstock.families.shared_template import CONTRACT_HEAD

CONTRACT = (
    CONTRACT_HEAD
    + """\
# How the model is called. The preset is the interface of RMBG-1.4 and 2.0: POST /api/remove-bg, the photo as base64 in
# JSON (`image`), answered with a PNG with alpha as base64 (`image`).
call:
  preset: rmbg
  http:
    argv: ["python", "serve.py", "--port", "{{port}}"]   # how the service is started; {{port}} is a free port
    ready: /healthz                                    # answers 200 once the model can be called
    ready_timeout_s: 120
  # An answer has the photo's size. The preset adds: a photo with a side over 2000 px comes back with a longer side of
  # 1024. For a service that scales otherwise, or never (then with a number that no photo reaches), and
  # `answer_is: matte` for one that returns the alpha alone, a grey PNG:
  # parameters: {{scale_over: 2000, scale_to: 1024}}
  timeout_s: 120                                       # for one case
  warmup: 1                                            # calls that are made first and not counted
# A service that takes a form and answers with the picture itself:
# call:
#   http:
#     argv: ["python", "serve.py", "--port", "{{port}}"]
#     path: /remove
#     files: {{image: image}}
#     response: image/png
# A model that is a program, started once a case:
# call:
#   command:
#     argv: ["python", "remove.py", "{{image}}", "{{output}}"]
#     output: .png

suite: {suite}                      # the directory of suite.yaml: the fixed cases of the test

# What a release must hold. min and max bound the mean of the cases, worst each single one; margin is how much worse
# than the released model the mean may be: a share (5%), a number, or `1 floor`: as much as the annotators differ among
# themselves, where cases have several truths. `severity: warn` stops nothing. After a first release,
# `penstock check --store DIR` says which margins the suite can settle.
policy:
  level: 0.05
  rules:
    - {{metric: mae, max: 0.02, margin: 10%}}
    - {{metric: hd95, worst: 3.2}}           # the edge of every case within 3.2 px
    - {{metric: hd100, margin: 20%, severity: warn}}   # one speck decides it
    - {{metric: uea, min: 0.8}}
    - {{metric: spurious, max: 0.1}}
    # - {{metric: sad, slice: hair, margin: 1 floor}}
    # - {{metric: fringe, slice: hair, max: 3}}        # of cases with a `foreground`
    # - {{metric: dtssd, max: 2}}            # flicker, of clips
    - {{metric: latency, margin: 20%, severity: warn}}
"""
)

SUITE = """\
# The fixed cases of the test. Paths are relative to this file. The model gets the image alone: the other files are
# withheld from it.
version: 1
family: {family}

cases:
  - name: hair-01
    inputs:
      image: hair-01.jpg
    truth: hair-01-matte.png                # grey, or with alpha; of the photo's size
    # truth: [a.png, b.png]                 # of several annotators: values are means over them
    # trimap: hair-01-trimap.png            # 128 where it is not known: MAE, MSE, SAD, Grad and Conn look only there
    # foreground: hair-01-colours.png       # the subject's true colours, for `fringe`
    # shadow: drop                          # whether the shadow is part of the matte: keep or drop
    slices: [smoke, hair]                   # groups for rules; smoke: the cases of `penstock run verify`
  # A clip: what comes back has alpha, too (VP9 in WebM, PNG in MOV); the truth is a grey video without loss (FFV1).
  # - name: wind-01
  #   inputs: {{video: wind-01.mp4}}
  #   truth: wind-01-matte.mkv
  #   slices: [hair]
"""

TEMPLATE = Template(CONTRACT, SUITE)
