"""oakum: finds credentials that leaked into git history and file trees, ranks them and says why each one matters."""

from importlib.metadata import version

__version__ = version("oakum")
