"""What log lines show: the names that were tried, and how long it took."""
