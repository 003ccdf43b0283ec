"""Files out: rows become bytes. Knows nothing of students."""
