"""The run report as one HTML page."""
