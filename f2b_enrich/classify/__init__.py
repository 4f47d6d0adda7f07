"""What log lines show: the names that were tried, what attack, and how long it took."""
