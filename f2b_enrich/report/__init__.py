"""What the store's bans come to: figures as pure data, and the forms of them."""
