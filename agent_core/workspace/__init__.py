"""Where it lives: the working tree, candidates, landings."""
