"""Mappings to start from: from what a tap sent to a mapping as text, each line with its reason."""
