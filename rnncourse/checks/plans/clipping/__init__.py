"""How the exercises of `rnncourse.clipping` are tried."""

from .gradients import clip_by_global_norm, clip_by_value, global_norm
from .norms import state_gradient_norms
from .step import clipped_training_step

__all__ = [
    "clip_by_global_norm",
    "clip_by_value",
    "clipped_training_step",
    "global_norm",
    "state_gradient_norms",
]
