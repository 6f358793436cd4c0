"""What the project ships, and what it downloads once."""
