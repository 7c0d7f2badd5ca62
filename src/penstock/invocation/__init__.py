"""Starting, sandboxing, calling and stopping a model that is not trusted."""
