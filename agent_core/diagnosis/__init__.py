"""Why it failed."""
