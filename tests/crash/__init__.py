"""Killing the real processes of real runs at random instants, and what must hold afterwards."""
