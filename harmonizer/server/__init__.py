"""The HTTP service: pictures in, pictures and edits out. Needs the extra `server`."""
