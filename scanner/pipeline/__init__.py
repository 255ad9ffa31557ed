"""The pipeline: the one place where the stages meet.

source -> blobs -> engine -> matches -> allowlists -> sightings -> findings -> prove -> rank. What comes before findings
runs in workers, one unit of a source at a time (`workers.py`); the rest runs in `scan.py`, once all units of a target
are in. Nothing is imported here: a hook that finds nothing needs but a part of it.
"""
