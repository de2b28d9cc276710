"""Mapping: from a record to values by Pinterest's field paths."""
