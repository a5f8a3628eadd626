"""Many pictures: a folder or a manifest in, pictures and a report out, on one process, several, or a Ray cluster."""
