"""What must hold between what callers heard, what was acknowledged, and what the journals say."""
