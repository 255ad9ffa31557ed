"""Allowlists as data: what looks like a credential and is none, and which paths make one less likely."""
