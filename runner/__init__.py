"""Conducting one experiment: initialise, start both generators, watch, stop, seal, judge."""
