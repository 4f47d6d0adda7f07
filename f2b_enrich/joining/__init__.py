"""Which records of fail2ban's doings tell of one ban (pure)."""
