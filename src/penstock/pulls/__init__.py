"""Pull and merge requests: their webhooks, who may ask for what, and the runs that come of it."""
