"""What the tests of the built-in partner share."""

from pathlib import Path

NOWHERE = Path("/nonexistent/project")
