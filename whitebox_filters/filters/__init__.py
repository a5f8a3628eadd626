"""One file a filter or a family of filters; each registers itself, and `registry.load_builtin` finds it."""
