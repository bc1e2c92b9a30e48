"""Stayline: phone calls that keep their conversation when the media stream doesn't."""
