"""Old records read into values: logs, fail2ban's database, mails and bounces."""
