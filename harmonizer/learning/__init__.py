"""Training: the only part of harmonizer that needs torch (`pip install 'whitebox-harmonizer[train]'`)."""
