"""How times and numbers are shown."""
