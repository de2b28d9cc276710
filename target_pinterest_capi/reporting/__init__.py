"""What a run did, for people and programs: counters, statistics, progress and the report."""
