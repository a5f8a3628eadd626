"""The network: composite and mask to filter arguments."""
