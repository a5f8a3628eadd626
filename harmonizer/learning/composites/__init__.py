"""Composites whose real picture is known, made in batches on whatever device the photographs lie."""
