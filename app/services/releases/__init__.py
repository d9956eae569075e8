"""Releases: commits, repositories, deploys, who watches them, what they fix, what was uploaded for them."""
