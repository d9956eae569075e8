"""What is loaded at the start stays: the garbage collector need not look at it again."""

import gc


def settle() -> None:
    """Call once everything is loaded, before forking.

    Without it the slowest requests take five times as long, and each collection in a child would copy the
    memory that it shares with its parent.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20000, 20, 100)
