"""How a cascade runs. Nothing here is imported before an image of its kind arrives."""
