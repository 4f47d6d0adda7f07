"""The only SQL: what is written, how it is laid out, and how it is read."""
