"""The three panes: chat, diff, checks; each a widget and the lines it shows."""
