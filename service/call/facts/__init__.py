"""The facts of a call by their subjects; service/call/events.py is all of them."""
