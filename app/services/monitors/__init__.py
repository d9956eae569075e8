"""Monitors: jobs that check in, and what happens when they do not."""
