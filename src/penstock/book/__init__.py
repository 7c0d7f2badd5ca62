"""The release book: a web application over the store, for people to read."""
