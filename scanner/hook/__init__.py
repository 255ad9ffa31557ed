"""Hooks: what git tells them, what they search, and what is decided."""
