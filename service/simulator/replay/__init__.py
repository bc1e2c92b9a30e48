"""`stayline replay`: a scripted caller, the harms that come to the call, and the judgement on it."""
