"""Releases: commits, deploys, what they fix, and the source maps that belong to them."""
