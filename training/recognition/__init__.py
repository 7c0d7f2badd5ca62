"""Pictures of drawn things and signs whose labels, boxes and text are known exactly."""
