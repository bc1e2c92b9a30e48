"""What people see of how conversations fare: figures, log lines and traces, all of the same facts."""
