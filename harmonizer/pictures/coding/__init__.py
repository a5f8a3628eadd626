"""Files of each format, to pictures and back."""
