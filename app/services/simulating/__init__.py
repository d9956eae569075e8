"""What would happen if: situations and whole weeks, asked of the one evaluator with drafts laid over them.

Everything here reads and nothing writes: drafts are laid over what was read, and never stored.
"""
