"""The sans-I/O media stream: messages, the state of one stream, and where its audio is."""
