"""Issues: found, shown, commented on, and moved from state to state by people, commits and time."""
