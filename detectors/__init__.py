"""Detectors as data: one TOML file per provider, the checks and samples they name, and nothing of the scanner."""
