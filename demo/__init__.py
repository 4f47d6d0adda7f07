"""A throw-away server that is attacked: for the demonstration, tests and benchmarks."""
