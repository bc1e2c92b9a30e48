"""The doors: webhooks, the media socket, the API."""
