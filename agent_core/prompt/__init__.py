"""What the partner sees."""
