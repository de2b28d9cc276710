"""Getting events there: batches, attempts, retries, outcomes, checkpoints.

Handles bytes and receipts, never records.
"""
