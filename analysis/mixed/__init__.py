"""Counters that are incremented and decremented: what could have happened, exactly.

Pure: numpy and the standard library; no files, no clock, no frames. CHECKERS B.
"""
