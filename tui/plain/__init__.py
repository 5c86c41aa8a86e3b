"""The plain line mode: the same session as sentences and numbered questions, for screen readers and dumb terminals."""
