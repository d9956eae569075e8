"""Integrations: set up, told, and heard when the other side calls."""
