"""The record: what an operation is, how it is written down, where a run keeps it.

This package is the vocabulary that every other folder shares. It knows nothing of HTTP
clients, AWS or verdicts, and imports only the standard library, numpy and pyarrow.
"""
