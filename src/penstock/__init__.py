"""Penstock: the gate on a vision model's release pipeline.

Where things are (imports point downwards, held by import-linter):

- ``cli``: the ``penstock`` command; ``tasks/`` at the top level: one entrypoint a pipeline step.
- ``tekton``: all that knows Tekton: manifests, substitution, the local runner, step results.
- ``report``, ``gating``: the page for people; the rules and the verdict.
- ``families``: how a kind of model is put to the test. ``invocation``: starting and calling a model.
- ``metrics``: arrays in, numbers out. ``extractors``: the networks that metrics look through.
- ``sources``: git, weights, image builds. ``store``: archives, baselines, publishing.
- ``media``: decoding hostile video, audio and images.
- ``contract``, ``bundle``, ``files``, ``errors``: what everything stands on.
"""

__version__ = "0.1.0"
