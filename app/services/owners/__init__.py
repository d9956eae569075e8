"""Whose code is whose: the lines of owners, what they match, and what follows from a change of them."""
