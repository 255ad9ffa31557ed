"""Errors that a user can cause or must hear of: each message says what failed and what to do next."""

from __future__ import annotations


class OakumError(Exception):
    """The base of all errors that oakum raises on purpose; the command line prints its text and exits with 2."""


class UsageError(OakumError):
    """What was asked for cannot be done as it was asked."""


class TargetError(OakumError):
    """A target is not there, cannot be read, or is not what it was taken for."""


class GitError(OakumError):
    """Git could not be run, or refused a repository as a whole."""


class HookError(OakumError):
    """A hook cannot be installed, or cannot be taken out."""


class DetectorError(OakumError):
    """A detector file holds a mistake; the message names file, detector, field and what is allowed."""


class CatalogError(OakumError):
    """A file of sensitive names holds a mistake; the message names file, rule, field and what is allowed."""


class AllowlistError(OakumError):
    """An allowlist file holds a mistake."""


class UntoldError(OakumError):
    """Secrets were found, and what they are could not be told; `count` is how many."""

    def __init__(self, count: int, why: str) -> None:
        super().__init__(why)
        self.count = count


class OutOfTime(KeyboardInterrupt):
    """The time that a search may take is up. It ends as with Ctrl-C, and what was found is kept."""


class ConfigError(OakumError):
    """A configuration file holds a mistake, or cannot be read; the message names file, key and what is allowed."""


class ReportError(OakumError):
    """A former report cannot be read: it is none, damaged, too large, or of a schema that is not known."""


class ForeignError(OakumError):
    """A file of another scanner cannot be imported: it is damaged, too large, or of no form that is known."""
