"""oakum: finds credentials that leaked into git history and file trees, ranks them and says why each one matters."""

__version__ = "0.1.0"
"""The same as in pyproject.toml (a test compares them): to ask the installed package takes 50 ms at each start."""
