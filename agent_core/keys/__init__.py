"""Keys for partners: where they are kept, how they are found, and how they are kept out of everything else."""
