"""A course on recurrent networks in which the learner's own functions become the library."""

from .checks import check
from .exercise import fill, play

__version__ = "0.1.0"
__all__ = ["check", "fill", "play"]
