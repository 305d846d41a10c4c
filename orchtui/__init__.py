"""orchtui: the on-call console for Docker."""

__version__ = "0.1.0"
