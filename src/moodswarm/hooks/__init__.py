"""Hooks around every run: a lock, progress, model access, a summary, and MLflow if installed.

Nothing here changes what a pipeline computes.
"""

from moodswarm.hooks.model_access import ModelAccess
from moodswarm.hooks.progress import Progress
from moodswarm.hooks.run_lock import RunLock
from moodswarm.hooks.summary import RunSummary
from moodswarm.hooks.tracking import MlflowTracking

__all__ = ["MlflowTracking", "ModelAccess", "Progress", "RunLock", "RunSummary"]
