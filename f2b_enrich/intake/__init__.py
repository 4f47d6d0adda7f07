"""Old records brought from their files into the store."""
