"""What runs in the project's own Python to give an early word about types; never imported by pairloop."""
