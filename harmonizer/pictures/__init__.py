"""Picture files, and pictures in memory."""
