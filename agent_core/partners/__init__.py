"""Who proposes: models behind one protocol."""
