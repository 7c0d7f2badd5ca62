"""What ``penstock init`` writes for a talking head."""

from __future__ import annotations

from penstock.families.family import Template
from penstock.families.shared_template import CONTRACT_HEAD

CONTRACT = (
    CONTRACT_HEAD
    + """\
# How the model is called. The preset is the interface of Sonic: POST /generate with `image`, `audio` and the parameters
# of the case, answered with video/mp4.
call:
  preset: sonic
  http:
    argv: ["python", "serve.py", "--port", "{{port}}"]   # how the service is started; {{port}} is a free port
    ready: /healthz                                    # answers 200 once the model can be called
    ready_timeout_s: 120
  # parameters: {{inference_steps: 25}}                  # what a case does not say itself; the preset has defaults
  timeout_s: 600                                       # for one case
  warmup: 1                                            # calls that are made first and not counted
# A model that is a program, started once a case, is called like this instead:
# call:
#   command:
#     argv: ["python", "demo.py", "{{image}}", "{{audio}}", "{{output}}"]
#     output: .mp4

suite: {suite}                      # the directory of suite.yaml: the fixed cases of the test

# The networks that metrics look through: SyncNet for lse_d, lse_c and av_offset, Inception for fid and kid. Small
# stand-ins come with Penstock; their values compare releases with each other, and are not the values of papers.
extractors:
  lipsync: syncnet-compact
  frechet: portrait-features
  # lips: lip-opening                  # for lip_closure and mouth_opening
# `penstock weights import` turns the published checkpoints into files:
# extractors:
#   lipsync: {{path: extractors/syncnet.onnx, sha256: "…", source: lfs}}
#   frechet: {{path: extractors/inception.onnx, sha256: "…", source: lfs}}

# What a release must hold. min and max bound the mean of the cases; margin is how much worse than the released model
# it may be: a share of that model's mean (5%) or a number in the metric's unit. `severity: warn` stops nothing.
# After a first release, `penstock check --store DIR` says which margins the suite can settle.
policy:
  level: 0.05
  rules:
    - {{metric: duration_error, max: 0.1}}
    - {{metric: sharpness, margin: 10%, severity: warn}}
    # Time and memory move with whatever else the machine does: compared with values of another day they only warn. To
    # let one of them stop a release, give it a bound (`max: 2.0`), or write `baseline: rerun` beside `rules`: the
    # released model is then run again beside the new one.
    - {{metric: real_time_factor, margin: 20%, severity: warn}}
    # - {{metric: lse_d, max: 9.0, margin: 5%}}
    # - {{metric: av_offset_abs, max: 1}}
    # - {{metric: size_error, max: 0}}        # as large as min_resolution, or the case's size, asks
    # - {{metric: mouth_opening, margin: 30%}}  # a mouth that opens wider than the released model's for the same sound
    # - {{metric: kid, margin: 0.02}}        # rather than fid, which few clips bias
"""
)

SUITE = """\
# The fixed cases of the test. Paths are relative to this file. Twenty short ones tell more than five long ones, and
# with a single one no margin can be held; add what once went wrong.
version: 1
family: {family}

# Images or videos that FID and KID compare with (only needed with a rule for them):
# reference: reference

cases:
  - name: portrait-01
    inputs:
      image: portrait-01.png
      audio: speech-01.wav
    # parameters: {{inference_steps: 10}}     # what differs in this case; the video is as long as the audio
    slices: [smoke]                         # groups for rules; smoke: the cases of `penstock run verify`
    # face_box: [0.25, 0.25, 0.5, 0.5]      # x, y, width, height of the face in the video, as shares of the frame
"""

TEMPLATE = Template(CONTRACT, SUITE)
