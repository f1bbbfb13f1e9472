"""Faults around a correct counter: whatever they are, the verdict is never FAIL."""
