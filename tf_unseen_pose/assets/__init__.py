"""Bundled files, and files that are downloaded once."""
