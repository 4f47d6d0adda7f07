"""What runs all the time: takes bans, has them looked up, has them mailed."""
