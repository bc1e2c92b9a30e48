"""What readers are shown: calls, the board of all of them, figures; at once and as they change."""
