"""One file a filter; each is found by `registry.load_builtin` and registers itself."""
