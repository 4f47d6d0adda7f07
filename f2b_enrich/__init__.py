"""Tell a server's administrator who attacks it."""

__version__ = "0.1.0"
