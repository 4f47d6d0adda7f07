"""Measurements that docs/benchmarks.md reports: `make bench`."""
