"""Builds both distributions and checks them as users will meet them: `make release`."""
