"""The agent that lets a speech-to-speech model talk."""
