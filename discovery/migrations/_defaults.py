"""Default functions that migrations refer to, imported in one place so that the models can move."""

from discovery.models.config import default_excluded_flags

__all__ = ["default_excluded_flags"]
