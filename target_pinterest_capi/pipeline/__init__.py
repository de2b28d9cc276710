"""What happens to a record of a stream, and reading at the pace of delivery."""
