"""What follows from what happens: pure functions from state and input to facts and effects."""
