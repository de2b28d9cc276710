"""What Pinterest accepts: from mapped values to the bytes of an event."""
