"""Pictures of the app, made by scripts from the running app."""
