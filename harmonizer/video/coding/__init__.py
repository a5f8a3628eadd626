"""Video files to frames and back, by PyAV."""
