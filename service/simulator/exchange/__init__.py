"""The telephone exchange: an account's live calls and numbers, and the REST API that reaches them."""
