"""Suggested mappings: from what a tap sent to a mapping as text, with a reason for each line."""
