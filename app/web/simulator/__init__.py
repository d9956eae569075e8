"""The what-if simulator: one situation, or the last days, with a change that nobody has saved."""

from app.web.simulator import pages  # noqa: F401 - hangs its routes on the blueprint
from app.web.simulator.blueprint import bp

__all__ = ["bp"]
