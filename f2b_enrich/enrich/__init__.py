"""What is known about an address, asked from several sources and put together."""
