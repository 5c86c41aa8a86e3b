"""Names in the project's code: where they are defined and used, and which of them matter for a task."""
