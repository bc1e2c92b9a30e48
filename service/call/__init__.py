"""What a call is: facts, the state they fold into, and the decisions made from it. Pure."""
