"""Who is written to, what is written, and how it leaves."""
