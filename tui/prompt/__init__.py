"""What the prompt knows, apart from its widget: chips, history, and what can be completed."""
