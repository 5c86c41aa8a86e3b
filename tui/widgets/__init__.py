"""Small building blocks of the screen."""
