"""What the API answers and takes, as types: the shapes return them, the description is made of them.

A member that is always there is required; what may be missing is `NotRequired`. What clients send is
`total=False` but for what they must send. `…Json` keeps them apart from rows of the same name; clients read
the names without it.
"""
