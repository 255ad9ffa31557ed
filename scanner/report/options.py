"""What all reports may be told, and how they show a secret."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import Secret


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """`color` is for terminals; `heading` is what is known of the target; `stats` adds times; `version` is oakum's."""

    color: bool = False
    show_secrets: bool = False
    stats: bool = False
    heading: tuple[str, ...] = ()
    version: str = ""
    width: int = 100


def shown(secret: Secret, options: ReportOptions) -> str:
    """The mask, or with --show-secrets the value."""
    return secret.reveal().decode("utf-8", "replace") if options.show_secrets else secret.mask()
