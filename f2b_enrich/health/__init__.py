"""The watch over fail2ban itself."""
