"""Brickwork beside its peers, measured in turn on the same networks: `python -m benchmarks --help`."""
