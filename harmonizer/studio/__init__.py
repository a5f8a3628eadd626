"""The page in the browser: its files, and what the service answers it."""
