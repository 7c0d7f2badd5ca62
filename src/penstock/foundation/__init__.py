"""What every room stands on: errors, files, directories held open, YAML, kinds of media."""
