"""People and where they belong: accounts, addresses, tokens, organizations, teams and projects."""
