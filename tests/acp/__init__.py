"""The engine with an editor that speaks the Agent Client Protocol."""
