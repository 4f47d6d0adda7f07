"""Which bans are mailed singly, which wait for a digest, and which nobody hears of."""
