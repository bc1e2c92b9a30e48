"""The media streams of a call, at the carrier's side, and the harms that come to them."""
