"""Locust users: every request they send becomes an operation in the process's journal."""
