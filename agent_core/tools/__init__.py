"""What the partner may do."""
