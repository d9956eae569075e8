"""Issues: found, shown, commented on, merged, deleted; moved from state to state by people, commits and time.

Also what people wrote about an error, and the searches that they keep.
"""
