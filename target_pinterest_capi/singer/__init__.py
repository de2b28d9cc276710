"""Singer: from bytes on stdin to messages, and the tap's schemas."""
