"""The photographs, masks and scenes that composites are made of."""
