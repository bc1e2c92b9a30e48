"""The other side: a stand-in for Twilio, for anybody without an account."""
