"""From an HTTP request to a known change: verify the raw bytes, parse, record, hand over."""
