"""What a load looks like while it runs: read from its journals, never from its generators."""
