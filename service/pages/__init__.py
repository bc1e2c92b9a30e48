"""Calls from a page: the browser is the carrier of such a call, and of its streams."""
