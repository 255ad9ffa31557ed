"""How stores come to the present revision: Alembic's scripts, which read nothing but the database.

A new revision is a module in `versions/`, with what it changes; `schema.py` says what comes of it, and a test compares
the two. A revision that was released is never changed.
"""
