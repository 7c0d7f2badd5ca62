"""Where evidence and releases are kept: a local directory or S3."""
