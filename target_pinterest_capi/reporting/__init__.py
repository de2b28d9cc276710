"""What a run did: counters, statistics, progress and the report."""
