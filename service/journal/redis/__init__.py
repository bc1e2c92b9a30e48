"""The journal in Redis or Valkey: scripts, connections, and what makes a write durable."""
