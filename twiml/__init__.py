"""Twilio's webhooks and documents, with no I/O: a leaf that knows nothing of the service.

    webhook     a form that Twilio posted -> a typed value
    verbs       what the call should do next -> a TwiML document
    signature   was this request really signed with our auth token?

Nothing here opens a socket, reads a clock or writes a log, so all of it may be called anywhere.
"""
