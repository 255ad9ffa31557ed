"""The JSON Schema of a configuration file, for editors: made from the table that the reader goes by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .settings import ENTRY, SETTINGS, Setting


def schema() -> dict[str, Any]:
    """Of `.oakum.toml`, of the user's own `config.toml`, and of `[tool.oakum]`; dates are texts in it."""
    top = _table(setting for setting in SETTINGS if not setting.name.startswith("push."))
    entry = _table(ENTRY) | {
        "required": ["reason"],
        "oneOf": [{"required": ["fingerprint"]}, {"anyOf": [{"required": ["path"]}, {"required": ["detector"]}]}],
    }
    top["properties"] |= {
        "push": _table(setting for setting in SETTINGS if setting.name.startswith("push.")),
        "allow": {"type": "array", "items": entry, "description": "what is accepted, and why"},
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "oakum's configuration"} | top


def _table(settings: Iterable[Setting]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for setting in settings:
        described = {**setting.kind.schema, "description": meaning(setting)}
        properties[setting.name.removeprefix("push.")] = described | (
            {} if setting.default is None else {"default": setting.default}
        )
    return {"type": "object", "properties": properties, "additionalProperties": False}


def meaning(setting: Setting) -> str:
    """What a setting means, and who may set it."""
    return setting.meaning + ("; only in the user's own file" if setting.own else "")
