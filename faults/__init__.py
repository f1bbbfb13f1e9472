"""The intermediary: a small reverse proxy that is wrong in one known way, if asked to be.

It stands between the load and any counter, right or wrong, so that the alarms can be heard to ring
(history/fault.py lists what it can do). What it does is its own business: it knows nothing of
records and verdicts.
"""
