"""The one kind of error for whoever types a command: a line that says what is wrong and how to mend it."""

import click


class CannotStart(click.ClickException):
    """Our commands and Flask's show its text alone, without a stack trace, and end with status 1."""
