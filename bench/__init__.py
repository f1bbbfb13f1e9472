"""What `make bench` measures: medians of several runs, beside a floor measured in the same run."""
