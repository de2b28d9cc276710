"""Delivery of events: batches, attempts, retries, outcomes, checkpoints.

It handles bytes and receipts, never records.
"""
