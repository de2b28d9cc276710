"""What happens to a record of a stream, for every door, and reading at the pace of delivery."""
